// Package render holds all that has to do with Handlebars: reading templates, checking them, evaluating them, their
// helpers and their escaping, and the ordered JSON values that they are evaluated on.
//
// Templates are parsed by github.com/aymerick/raymond, which nothing else imports, and evaluated here. The measure is
// Handlebars.js 4.7, which authors test with: output is the same byte for byte. What differs on purpose:
//
//   - partials, decorators and helpers that do not exist are refused when a template is compiled, and so is a helper
//     that needs a block and has none;
//   - formVariables, oauth, context and delivery at the root are found by name inside any block;
//   - no helper or lambda comes from the context, which is plain JSON: nothing of Go is ever called, and nothing that
//     JavaScript's objects inherit is ever found;
//   - equal and equalWithElse leave the context inside them as it is; helpers written in sloppy JavaScript box a text
//     or number, so that 0 and "" are true there and a text can be iterated;
//   - a block parameter of {{#name as |x|}} on an object is not there; Handlebars.js gives it the block parameters of
//     the blocks around, as an array;
//   - {{{a}}}{{{b}}} with two numbers and nothing else before them prints both; Handlebars.js prints their sum;
//   - templates, their tags, nesting, output and the steps they take are limited.
//
// Values are escaped when they are written, by what the template is for: see Escape.
//
// Those who check templates learn from Template.Inspect which names a template uses, what they can lead to, where
// values are written and how helpers are called, without rendering it; and from Origins, after rendering, which place
// of the template wrote which part of the output. How many values a helper gets is for them to judge: rendering goes
// on where Handlebars.js does.
//
// # Helpers
//
// Blocks: if and unless (with includeZero=true, 0 counts as true), each, with, equal and equalWithElse, which compare
// the texts of two values, missing and null being "". All take {{else}}.
//
// Values: lookup(value, name); log, which does nothing; pathEncode(value), JavaScript's encodeURI; queryEncode(value),
// encodeURIComponent; basicAuthHeaderValue(user, password); formatWithOffset(milliseconds, offset, format);
// json(value); truncate(value, n, suffix); default(value, other); join(array, separator); firstItems(array, n);
// nonBlankItems(array); lower(value); upper(value); formatTime(value, layout, offset); startsWith(value, prefix);
// replace(value, old, new); trimSuffix(value, suffix); within(value, n), which is empty where the value is longer;
// safeLink(value), which is empty unless the value is the URL of a page, of at most 2,000 characters; and to make a text
// plain in the markup of the place where it arrives, htmlEscape(value), htmlLines(value), which writes line breaks as
// <br>, markdownEscape(value), slackEscape(value), discordEscape(value), zulipEscape(value) and datadogEscape(value).
//
// formatWithOffset moves a time by so many seconds and writes it as "milliseconds", "seconds", "rfc3339"
// (2020-02-04T00:54:45Z) or "simple" (2020-02-04 00:54:45). json writes a value as JSON that is not escaped again.
// truncate keeps at most n characters, suffix ("…") included. default takes the other value for what is missing, null
// or "". join puts ", " between the items unless told otherwise.
//
// formatTime takes milliseconds since 1970, an RFC 3339 time or an event's timestamp object, a layout and perhaps an
// offset ("+02:00", or seconds; UTC unless given). A layout is a name (rfc3339, iso, rfc1123, date, time, simple,
// long) or holds directives of strftime: %Y %y %m %-m %B %b %d %-d %e %j %A %a %H %-H %I %-I %p %M %S %L %s %Q %z %:z
// %F %T %R %D %%.
//
// Helpers that escape for markup may write several characters for one: truncate first, then escape. In a body of JSON
// they are written with three braces, {{{markdownEscape name}}}, since {{name}} escapes for HTML once more.
package render
