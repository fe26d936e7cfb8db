/* Catalogues of labels (XEP-0258 6): what a server offers those who ask, and thereby tells of its policy. */
#include <string.h>

#include "labelling.h"

/* What may not cross anyhow is not offered; items without a label would be sent without one. */
static bool is_offered(struct labelling *l, const struct node *item, unsigned *rewritten)
{
	struct node *node = node_child(item, NS_SEC_LABEL, "securitylabel");
	struct policy_verdict unread = {.rule = "", .error_condition = "", .error_type = ""};
	struct policy_case aside = *l->c;
	struct labelling quiet = *l;
	struct label_reason why = {.rule = ""};
	struct envelope envelope;
	bool offered;

	if (!node)
		return l->rules->labels != POLICY_LABELS_REQUIRED;
	/* What is found is a matter of the item, not of the stanza. */
	aside.verdict = &unread;
	aside.step = NULL;
	quiet.c = &aside;
	offered = envelope_read(&quiet, node, &envelope) && envelope.form && label_may_cross(&quiet, &envelope, &why) &&
		envelope_rewrite(&quiet, &envelope);
	l->read = quiet.read;
	*rewritten += offered && unread.action == POLICY_REWRITTEN;
	return offered;
}

void catalog_check(struct labelling *l, struct node *catalog)
{
	unsigned taken = 0, rewritten = 0;
	struct node *next;

	if (!l->rules->filters_catalogs) {
		case_find(l->c, &(struct finding){POLICY_REFUSED, "labels.catalog", "service-unavailable", "cancel",
			"catalogues of labels do not cross"});
		return;
	}
	for (struct node *item = catalog->first; item; item = next) {
		next = item->next;
		if (!item->name || is_offered(l, item, &rewritten))
			continue;
		node_remove(item);
		taken++;
	}
	if (taken)
		case_changed(l->c, "labels.catalog", "%u item%s taken out", taken, taken == 1 ? "" : "s");
	else if (rewritten)
		case_changed(l->c, "labels.catalog", "%u item%s as the policy has it", rewritten,
		rewritten == 1 ? "" : "s");
}
