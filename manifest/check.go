package manifest

import (
	"fmt"
	"net/mail"
	"path"
	"strconv"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// check does what the JSON Schema cannot. It reads the document and not the
// typed manifest, so that one wrong type does not hide the other findings.
func (c *checker) check(i *Integration) {
	c.checkEmail()
	c.checkOverview()
	c.checkIcons(i)
	c.checkVariables("/formVariables")
	for _, at := range [][]string{
		{"approval", "environmentFormVariables"}, {"approval", "approvalFormVariables"},
		{"featureStore", "formVariables"}, {"flagCleanup", "formVariables"},
	} {
		c.checkVariables(join("/capabilities", at[0], at[1]))
	}
	c.checkCapabilities()
	c.checkSegment()
	c.checkHook(i)
}

// get follows a JSON pointer into the document.
func (c *checker) get(pointer string) render.Value {
	v := c.doc
	for _, token := range split(pointer) {
		if n, err := strconv.Atoi(token); err == nil && v.Kind() == render.KindArray {
			v = v.At(n)
		} else {
			v = v.Get(token)
		}
	}
	return v
}

// checkEmail wants a plain address: net/mail alone takes `Bob <bob@x.com>`, and
// the schema's pattern alone takes a..b@x.com.
func (c *checker) checkEmail() {
	address := c.doc.Get("supportEmail").AsString()
	if address == "" {
		return
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || parsed.Name != "" {
		c.fail("email", "/supportEmail", fmt.Sprintf("%s is not an e-mail address", shown(address)), "write it plainly, for instance support@example.com")
	}
}

func (c *checker) checkOverview() {
	if overview := c.doc.Get("overview"); overview.Kind() == render.KindString && !strings.HasSuffix(overview.AsString(), ".") {
		c.warn("overview-period", "/overview", "the overview does not end in a full stop", "write it as a sentence")
	}
}

// checkIcons reads the icons, and keeps them.
func (c *checker) checkIcons(i *Integration) {
	i.icons = make(map[string][]byte, 2)
	for _, name := range []string{"square", "horizontal"} {
		pointer := join("/icons", name)
		file := c.get(pointer)
		if file.Kind() != render.KindString {
			continue
		}
		data, problem := c.open(file.AsString(), MaxIcon)
		i.icons[name] = data
		if problem != "" {
			c.fail("icon", pointer, fmt.Sprintf("the icon %s cannot be used: %s", shown(file.AsString()), problem), "name an SVG file inside the folder")
		}
	}
}

// open reads a file that the manifest names, or tells why that is not possible.
func (c *checker) open(name string, limit int) (data []byte, problem string) {
	if problem := checkName(name); problem != "" {
		return nil, problem
	}
	data, err := readFile(c.fsys, path.Clean(name), limit)
	if err != nil {
		return nil, reason(err)
	}
	return data, ""
}

func (c *checker) checkCapabilities() {
	if c.doc.Get("capabilities").Len() == 0 && c.doc.Get("otherCapabilities").Len() == 0 {
		c.warn("no-capabilities", "", "the integration can do nothing: it has neither capabilities nor otherCapabilities",
			"give it an auditLogEventsHook to send events")
	}
	for _, capability := range []string{"eventsHook", "flagImport"} {
		at := join("/capabilities", capability, "templates")
		for key, file := range c.get(at).Members() {
			if file.Kind() != render.KindString {
				continue
			}
			c.compileBody(join(at, key), file.AsString()) // for its findings; others render it
		}
	}
}

// checkSegment keeps the rules that hold between the paths of a synced
// segment's parser.
func (c *checker) checkSegment() {
	const at = "/capabilities/syncedSegment/requestParser"
	parser := c.get(at)
	if parser.Kind() != render.KindObject {
		return
	}
	has := func(keys ...string) bool { return parser.Path(keys...).Text() != "" }
	refuse := func(key, message, remedy string) { c.fail("synced-segment", join(at, key), message, remedy) }
	both := has("addMemberArrayPath") || has("removeMemberArrayPath")
	if both && !has("addMemberArrayPath") {
		refuse("removeMemberArrayPath", "removeMemberArrayPath has no counterpart", "add addMemberArrayPath")
	}
	if both && !has("removeMemberArrayPath") {
		refuse("addMemberArrayPath", "addMemberArrayPath has no counterpart", "add removeMemberArrayPath")
	}
	if both && parser.Has("memberArrayPath") {
		refuse("memberArrayPath", "memberArrayPath stands beside addMemberArrayPath or removeMemberArrayPath", "keep one way of naming the members")
	}
	if both && parser.Has("arrayInclusion") {
		refuse("arrayInclusion", "arrayInclusion stands beside addMemberArrayPath or removeMemberArrayPath", "keep one way of telling who joins and who leaves")
	}
	if parser.Has("arrayInclusion") && !parser.Has("memberArrayPath") {
		refuse("arrayInclusion", "arrayInclusion needs memberArrayPath", "add it")
	}
	if has("memberArrayParser", "booleanMembershipPath") && !parser.Has("memberArrayPath") {
		refuse("memberArrayParser", "booleanMembershipPath needs memberArrayPath", "add it")
	}
}
