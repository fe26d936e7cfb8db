/* The schema of Open XML SPIF 1.0 to 2.1, as a table; see spif_schema.h. */
#include <stdarg.h>
#include <string.h>

#include "document.h"
#include "spif_schema.h"

enum { CHILDREN_MAX = 10, ATTRIBUTES_MAX = 6, REPORT_BYTES = 300 };

/* Children in their order; '!' before the name: it stands there once at most. */
static const struct rule {
	const char *name;
	const char *children[CHILDREN_MAX + 1];
	const char *attributes[ATTRIBUTES_MAX + 1];    /* that it cannot be without */
} rules[] = {
	{"SPIF", {"!defaultSecurityPolicyId", "!securityPolicyId", "!updateInfo", "!securityClassifications",
		"!securityCategoryTagSets", "!privacyMarks", "!equivalentPolicies", "markingData", "markingQualifier",
		"!extensions"}, {NULL}},
	{"defaultSecurityPolicyId", {"markingData", "markingQualifier"}, {"name", "id"}},
	{"securityPolicyId", {"markingData", "markingQualifier"}, {"name", "id"}},
	{"updateInfo", {NULL}, {NULL}},
	{"securityClassifications", {"securityClassification", "markingData", "markingQualifier"}, {NULL}},
	{"securityClassification", {"equivalentClassification", "markingData", "markingQualifier",
		"requiredCategory"},
		{"name", "lacv", "hierarchy"}},
	{"equivalentClassification", {"requiredCategory"}, {"policyRef", "lacv", "applied"}},
	{"requiredCategory", {"categoryGroup"}, {"operation"}},
	{"categoryGroup", {NULL}, {"tagSetRef", "tagType"}},
	{"excludedCategory", {NULL}, {"tagSetRef", "tagType"}},
	{"excludedClass", {NULL}, {NULL}},
	{"markingData", {"code"}, {NULL}},
	{"code", {NULL}, {NULL}},
	{"markingQualifier", {"qualifier"}, {NULL}},
	{"qualifier", {NULL}, {"markingQualifier", "qualifierCode"}},
	{"securityCategoryTagSets", {"securityCategoryTagSet"}, {NULL}},
	{"securityCategoryTagSet", {"securityCategoryTag", "equivalentSecurityCategoryTagSet"}, {"name", "id"}},
	{"equivalentSecurityCategoryTagSet", {"requiredCategory"}, {"policyRef"}},
	{"securityCategoryTag", {"tagCategory", "markingQualifier"}, {"tagType"}},
	{"tagCategory", {"equivalentSecCategoryTag", "markingData", "markingQualifier", "excludedClass",
		"requiredCategory",
		"excludedCategory"}, {"name", "lacv"}},
	{"equivalentSecCategoryTag", {NULL}, {"policyRef", "applied"}},
	{"privacyMarks", {"privacyMark", "markingData", "markingQualifier"}, {NULL}},
	{"privacyMark", {"markingData", "markingQualifier"}, {"name"}},
	{"equivalentPolicies", {"equivalentPolicy"}, {NULL}},
	{"equivalentPolicy", {"requiredCategory"}, {"name", "id"}},
};

void spif_tell(const struct spif_report *report, const struct node *node, bool is_error, const char *format, ...)
{
	char text[REPORT_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	report->tell(report->owner, node ? document_line(node) : 0, is_error, text);
}

bool spif_is(const struct node *node, const char *name)
{
	return node->name && !strcmp(node->name, name) && (!*node->ns || !strcmp(node->ns, NS_SPIF));
}

static const struct rule *find_rule(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (!strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}

static bool is_blank(const struct node *text)
{
	for (size_t i = 0; i < text->text_len; i++)
		if (!strchr(" \t\r\n", text->text[i]))
			return false;
	return true;
}

/* What is wrong with an element for all that is in it. */
struct checking {
	const struct spif_report *report;
	const char *ns;                /* of the root */
	bool holds, told_text, told_ns, told_order;    /* a defect that a file has often is told once */
};

static bool has_attributes(struct checking *checking, const struct node *node, const struct rule *rule)
{
	for (unsigned i = 0; rule->attributes[i]; i++)
		if (!node_attribute(node, rule->attributes[i])) {
			spif_tell(checking->report, node, true, "<%s/> has no attribute %s", node->name,
			rule->attributes[i]);
			return false;
		}
	return true;
}

static void check_text(struct checking *checking, const struct node *parent, const struct node *text)
{
	bool may = spif_is(parent, "code") || spif_is(parent, "excludedClass");

	if (may || is_blank(text) || checking->told_text)
		return;
	checking->told_text = true;
	spif_tell(checking->report, parent, false, "text between the elements of <%s/> is left out (the schema "
		"allows none)",
		parent->name);
}

static bool check_namespace(struct checking *checking, const struct node *node)
{
	if (!strcmp(node->ns, checking->ns))
		return true;
	if (*node->ns && strcmp(node->ns, NS_SPIF) != 0) {
		spif_tell(checking->report, node, true, "<%.60s/> is of another namespace (hint: only in "
		"<extensions/>)", node->name);
		return false;
	}
	if (!checking->told_ns)
		spif_tell(checking->report, node, false, "<%s/> is taken as one of the schema, although its "
		"namespace is %s", node->name,
			*node->ns ? "another than that of the file" : "none");
	checking->told_ns = true;
	return true;
}

/* Where it stands among what its parent may have; -1: nowhere. */
static int place_of(const struct rule *rule, const char *name)
{
	for (int i = 0; rule->children[i]; i++)
		if (!strcmp(rule->children[i] + (*rule->children[i] == '!'), name))
			return i;
	return -1;
}

static bool check_child(struct checking *checking, const struct rule *rule, const struct node *child, int *last,
	unsigned *seen)
{
	int place = place_of(rule, child->name);

	if (!check_namespace(checking, child))
		return false;
	if (place < 0) {
		spif_tell(checking->report, child, true, "<%.60s/> is not known in <%s/>", child->name, rule->name);
		return false;
	}
	if (*seen & 1u << place && *rule->children[place] == '!') {
		spif_tell(checking->report, child, true, "<%s/> is there twice", child->name);
		return false;
	}
	if (place < *last && !checking->told_order) {
		spif_tell(checking->report, child, false, "<%s/> is not in the order of the schema", child->name);
		checking->told_order = true;
	}
	*seen |= 1u << place;
	*last = place > *last ? place : *last;
	return true;
}

static const struct node *next_in_document(const struct node *node, const struct node *root, bool enter)
{
	if (enter && node->first)
		return node->first;
	while (node != root && !node->next)
		node = node->parent;
	return node == root ? NULL : node->next;
}

static bool check_element(struct checking *checking, const struct node *node)
{
	const struct rule *rule = find_rule(node->name);
	unsigned seen = 0;
	int last = 0;
	bool ok = rule && has_attributes(checking, node, rule);

	for (const struct node *child = node->first; rule && child; child = child->next)
		if (!child->name)
			check_text(checking, node, child);
		else if (!check_child(checking, rule, child, &last, &seen))
			ok = false;
	return ok;
}

bool spif_schema_holds(const struct node *root, const struct spif_report *report)
{
	struct checking checking = {.report = report, .ns = root->ns, .holds = true};
	const struct node *node = root;

	if (!spif_is(root, "SPIF")) {
		spif_tell(report, root, true, "it is no security policy: its root is <%.60s/> (hint: SPIF of "
		"" NS_SPIF ")", root->name);
		return false;
	}
	if (!*root->ns)
		spif_tell(report, root, false, "its elements are of no namespace (the schema's is " NS_SPIF ")");
	while (node) {
		bool extensions = node->name && spif_is(node, "extensions");

		if (node->name && !extensions && find_rule(node->name) && !check_element(&checking, node))
			checking.holds = false;
		node = next_in_document(node, root, !extensions);
	}
	return checking.holds;
}
