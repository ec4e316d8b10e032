package integrations_test

import "time"

// What times are written as.
const (
	iso     = "2006-01-02T15:04:05.000Z"
	seconds = 1e9 // the least that can be meant; the most is ten times that
	millis  = 1e12
)

var (
	inSeconds, inMillis = between(seconds, 10*seconds), between(millis, 10*millis)
	nanos               = matching(`[12][0-9]{18}`)
	some                = texts(1, 0) // a text that is not empty
)

// published has what the references of tools for observability, data and work say, by the key of their integration.
var published = map[string]toolRules{
	"dynatrace": {rules: []bodyRule{
		{"eventType", oneOf("CUSTOM_CONFIGURATION", "CUSTOM_INFO")},
		{"source", some}, {"description", some}, {"configuration?", some}, {"start?", inMillis},
		{"attachRules.tagRule", items(1, 100)},
		{"attachRules.tagRule.*.meTypes.*", oneOf("SERVICE")},
		{"attachRules.tagRule.*.tags.*.context", oneOf("CONTEXTLESS")},
		{"attachRules.tagRule.*.tags.*.key", some},
		{"customProperties?.*", texts(0, 0)},
	}},
	"dynatrace-v2": {rules: []bodyRule{
		{"eventType", oneOf("CUSTOM_CONFIGURATION", "CUSTOM_INFO")},
		{"title", some}, {"startTime?", inMillis}, {"entitySelector?", texts(1, 2000)},
		{"entitySelector?", matching(`type\("[A-Z_]+"\),tag\("[^"]*"(,"[^"]*")*\)`)},
		{"properties", items(1, 100)}, {"properties", named(`.{1,100}`)}, {"properties.*", texts(0, 4096)},
	}},
	"elastic": {rules: []bodyRule{
		{"@timestamp", moment(iso)}, {"message", some}, {"event.kind", oneOf("event")},
		{"event.category?.*", oneOf("configuration")}, {"event.type?.*", oneOf("creation", "change", "deletion")}, {"tags?.*", some},
	}},
	"grafana": {rules: []bodyRule{{"text", some}, {"time?", inMillis}, {"tags.*", texts(1, 100)}}},
	"honeycomb": {rules: []bodyRule{
		{"", named(`start_time|end_time|message|type|url`)}, {"start_time?", inSeconds}, {"message", some}, {"type", some}, {"url?", address},
	}},
	"kosli": {rules: launchDarkly}, "chronosphere": {rules: launchDarkly},
	"last9": {rules: []bodyRule{
		{"timestamp", moment(iso)}, {"event_name", some}, {"event_state", oneOf("start", "stop")}, {"attributes.*", texts(0, 0)},
	}},
	"logdna": {size: 10 << 20, rules: []bodyRule{
		{"lines.*.line", texts(1, 16_384)}, {"lines.*.timestamp?", inMillis}, {"lines.*.app", texts(1, 512)}, {"lines.*.level?", texts(1, 80)},
	}},
	"new-relic-apm": {rules: []bodyRule{
		{"deployment.revision", texts(1, 127)}, {"deployment.description?", texts(0, 65_535)}, {"deployment.changelog?", texts(0, 65_535)},
		{"deployment.user?", texts(0, 31)}, {"deployment.timestamp?", moment("2006-01-02T15:04:05Z")},
	}},
	"signalfx": {rules: []bodyRule{
		{"*.category", oneOf("USER_DEFINED")}, {"*.eventType", texts(1, 256)}, {"*.timestamp?", inMillis},
		{"*.dimensions", named(`[A-Za-z][\w-]{0,127}`)}, {"*.dimensions.*", texts(1, 256)}, {"*.properties.*", texts(0, 256)},
	}},
	"jira": {rules: []bodyRule{{"issues.*", some}, {"data.id", some}, {"data.title", some}, {"data.*", texts(0, 0)}}},

	"loki": {rules: []bodyRule{
		{"streams.*.stream", items(1, 15)}, {"streams.*.stream", named(`[a-zA-Z_][a-zA-Z0-9_]*`)}, {"streams.*.stream.*", texts(1, 2048)},
		{"streams.*.values.*", items(2, 3)}, {"streams.*.values.*.0", nanos}, {"streams.*.values.*.1", some},
		{"streams.*.values.*.2?.*", texts(0, 0)},
	}},
	"prometheus-alertmanager": {rules: []bodyRule{
		{"*.labels.alertname", some}, {"*.labels", named(`[a-zA-Z_][a-zA-Z0-9_]*`)}, {"*.labels.*", texts(0, 0)},
		{"*.annotations?.*", texts(0, 0)}, {"*.startsAt?", moment(iso)}, {"*.generatorURL?", address},
	}},
	"opensearch": {rules: []bodyRule{{"@timestamp", moment(iso)}, {"title", some}, {"tags?.*", some}}},
	"opentelemetry": {rules: []bodyRule{
		{"resourceLogs.*.resource.attributes.*.key", some},
		{"resourceLogs.*.scopeLogs.*.logRecords.*.timeUnixNano", nanos},
		{"resourceLogs.*.scopeLogs.*.logRecords.*.severityNumber", between(1, 24)},
		{"resourceLogs.*.scopeLogs.*.logRecords.*.body.stringValue", some},
		{"resourceLogs.*.scopeLogs.*.logRecords.*.attributes?.*.key", some},
		{"resourceLogs.*.scopeLogs.*.logRecords.*.attributes?.*.value", items(1, 1)},
	}},
	"sentry": {rules: []bodyRule{
		{"meta.version", oneOf(1.0)}, {"data", items(1, 100)}, {"data.*", named(`action|change_id|created_at|created_by|flag`)},
		{"data.*.action", oneOf("created", "updated", "deleted")}, {"data.*.change_id", inMillis}, {"data.*.created_at", moment(iso)},
		{"data.*.created_by.id", texts(1, 100)}, {"data.*.created_by.type", oneOf("email", "id", "name")}, {"data.*.flag", texts(1, 100)},
	}},
	"rollbar": {size: 512 << 10, rules: []bodyRule{
		{"data.environment", texts(1, 255)}, {"data.level", oneOf("critical", "error", "warning", "info", "debug")},
		{"data.title?", texts(1, 255)}, {"data.timestamp?", inSeconds}, {"data.body.message.body", some},
		{"data.person?.id", texts(1, 40)}, {"data.person?.username?", texts(0, 255)}, {"data.person?.email?", texts(0, 255)},
	}},
	"uptrace": {rules: []bodyRule{
		{"name", some}, {"color?", oneOf("green", "red", "blue")}, {"time?", moment(iso)}, {"fingerprint?", some}, {"attrs?.*", texts(0, 0)},
	}},
	"azure-monitor": {size: 64 << 10, rules: []bodyRule{
		{"name", oneOf("Microsoft.ApplicationInsights.Event")}, {"time", moment(iso)}, {"iKey", matching(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)},
		{"data.baseType", oneOf("EventData")}, {"data.baseData.ver", oneOf(2.0)}, {"data.baseData.name", texts(1, 512)},
		{"data.baseData.properties", named(`.{1,150}`)}, {"data.baseData.properties.*", texts(0, 8192)},
	}},
	"new-relic": {rules: []bodyRule{
		{"query", matching(`mutation .*changeTrackingCreateEvent.*`)}, {"variables.entity", matching(`id = '\w+'`)},
		{"variables.flag", some}, {"variables.short", some}, {"variables.long", some}, {"variables.user", texts(0, 0)}, {"variables.time", inMillis},
	}},
	"graylog": {rules: []bodyRule{
		{"", named(`version|host|short_message|full_message|timestamp|level|_[a-hj-z][\w.-]*`)}, {"version", oneOf("1.1")}, {"host", some},
		{"short_message", some}, {"timestamp?", inSeconds}, {"level?", between(0, 7)},
	}},
	"coralogix": {size: 2 << 20, rules: []bodyRule{
		{"", items(1, 1)}, {"*.applicationName", some}, {"*.subsystemName", some}, {"*.severity?", between(1, 6)}, {"*.timestamp?", inMillis},
		{"*.text.message", some},
	}},
	"seq": {rules: []bodyRule{
		{"@t", moment(iso)}, {"@m", some}, {"@l?", oneOf("Information", "Warning")}, {"", named(`@[tml]|[A-Z][A-Za-z]*`)},
	}},
	"victorialogs": {rules: []bodyRule{{"time", moment(iso)}, {"message", some}, {"service", some}, {"kind", some}}},
	"sumo-logic":   {size: 1 << 20, rules: []bodyRule{{"timestamp", moment(iso)}, {"message", some}}},
	"instana": {rules: []bodyRule{
		{"", named(`name|start|applications|services`)}, {"name", some}, {"start", inMillis}, {"applications?.*.name", some},
	}},
	"axiom":        {rules: []bodyRule{{"", items(1, 1)}, {"*._time", moment(iso)}}},
	"better-stack": {rules: []bodyRule{{"dt", moment(iso)}, {"message", some}}},

	"github": {size: 65_535, rules: []bodyRule{{"event_type", texts(1, 100)}, {"client_payload", items(1, 10)}}},
	"gitlab": {rules: []bodyRule{
		{"token", some}, {"ref", some}, {"variables", named(`FLAGHOOK_[A-Z_]+`)}, {"variables.*", matching(`[^$]*`)},
	}},
	"buildkite": {rules: []bodyRule{
		{"commit", some}, {"branch", some}, {"message", some}, {"env", named(`FLAGHOOK_[A-Z_]+`)}, {"env.*", texts(0, 0)}, {"meta_data?.*", some},
	}},
	"linear": {rules: []bodyRule{
		{"query", matching(`mutation .*issueCreate.*`)}, {"variables.input", named(`teamId|title|description`)},
		{"variables.input.teamId", some}, {"variables.input.title", some}, {"variables.input.description", some},
	}},
	"clickup": {rules: []bodyRule{{"name", some}, {"markdown_content", some}, {"notify_all", oneOf(false)}}},
	"asana":   {rules: []bodyRule{{"data.projects.*", matching(`[0-9]+`)}, {"data.name", some}, {"data.notes", some}}},
	"trello": {rules: []bodyRule{
		{"idList", matching(`[0-9a-f]{24}`)}, {"pos", oneOf("top")}, {"name", texts(1, 16_384)}, {"desc", texts(1, 16_384)}, {"urlSource?", address},
	}},
	"servicenow": {rules: []bodyRule{
		{"short_description", texts(1, 160)}, {"description", texts(1, 4000)}, {"correlation_id", texts(1, 100)},
		{"correlation_display?", texts(1, 100)}, {"work_start?", moment(time.DateTime)}, {"work_end?", moment(time.DateTime)},
	}},
	"notion": {size: 500 << 10, rules: []bodyRule{
		{"parent.data_source_id", some}, {"properties.title.title", items(1, 100)}, {"properties.title.title.*.text.content", texts(1, 2000)},
		{"children", items(1, 100)}, {"children.*.type", oneOf("paragraph", "quote")}, {"children.*.paragraph?.rich_text", items(1, 100)},
		{"children.*.paragraph?.rich_text.*.text.content", texts(1, 2000)}, {"children.*.paragraph?.rich_text.*.text.link?.url", texts(1, 2000)},
		{"children.*.quote?.rich_text.*.text.content", texts(1, 2000)},
	}},
	"azure-devops": {rules: []bodyRule{
		{"*.op", oneOf("add")}, {"*.path", matching(`/fields/System\.(Title|Description|History|Tags)|/relations/-`)},
		{"0.path", oneOf("/fields/System.Title")}, {"0.value", texts(1, 255)}, {"1.value", texts(1, 1_000_000)},
	}},

	"segment": {size: 32 << 10, rules: []bodyRule{
		{"anonymousId", some}, {"messageId?", texts(1, 100)}, {"timestamp", moment(iso)}, {"event", some}, {"properties", anything},
	}},
	"kafka-rest": {rules: []bodyRule{
		{"", named(`key|value|timestamp`)}, {"key.type", oneOf("JSON")}, {"key.data", some}, {"value.type", oneOf("JSON")},
		{"value.data.id", some}, {"timestamp?", moment(iso)},
	}},
	"amplitude": {rules: []bodyRule{{"label", texts(1, 255)}, {"start", moment(time.RFC3339)}, {"details?", some}}},
	"mixpanel":  {rules: []bodyRule{{"", named(`date|description`)}, {"date", moment(time.DateTime)}, {"description", some}}},
	"posthog":   {rules: []bodyRule{{"content", texts(1, 400)}, {"date_marker", moment(iso)}, {"scope", oneOf("project")}}},
	"airtable": {rules: []bodyRule{
		{"performUpsert.fieldsToMergeOn", items(1, 3)}, {"records", items(1, 10)}, {"records.*.fields.Event", some},
		{"records.*.fields.Time?", moment(iso)}, {"records.*.fields.*", texts(0, 100_000)},
	}},
	"supabase":   {rules: []bodyRule{{"id", some}, {"time", moment(iso)}, {"kind", some}, {"", named(`[a-z_]+`)}, {"tags?.*", some}}},
	"tinybird":   {rules: []bodyRule{{"id", some}, {"time", moment(iso)}, {"kind", some}, {"", named(`[a-z_]+`)}, {"tags", items(0, 1000)}}},
	"clickhouse": {rules: []bodyRule{{"time", moment(iso)}, {"id", some}, {"title", some}, {"kind", some}, {"tags?.*", some}}},
}

// launchDarkly has the members that receivers of LaunchDarkly's webhooks read.
var launchDarkly = []bodyRule{
	{"_links", anything}, {"_id", some}, {"_accountId", anything}, {"date", inMillis}, {"accesses", items(0, 1000)}, {"kind", some}, {"name", anything},
	{"description", anything}, {"shortDescription", anything}, {"titleVerb", anything}, {"title", anything}, {"target", anything},
}
