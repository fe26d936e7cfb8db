/* The table of connections; see conn.h. */
#include <stdlib.h>

#include "conn.h"

/* Ids are given out in order. */
static struct conn_bucket *bucket_of(struct conn_table *table, uint64_t id)
{
	return &table->bucket[id % CONN_BUCKETS];
}

struct conn *conn_find(struct conn_table *table, uint64_t id)
{
	struct conn *conn;
	LIST_FOREACH(conn, bucket_of(table, id), bucket)
		if (conn->id == id)
			break;
	return conn;
}

struct conn *conn_new(struct conn_table *table, uint64_t id)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	if (!conn)
		return NULL;
	conn->id = id;
	conn->state = CONN_OPENING;
	for (unsigned side = 0; side < SIDES; side++)
		layer_init(&conn->layer[side]);
	LIST_INSERT_HEAD(bucket_of(table, id), conn, bucket);
	return conn;
}

void conn_free(struct conn *conn)
{
	LIST_REMOVE(conn, bucket);
	resume_release(conn);
	for (unsigned side = 0; side < SIDES; side++)
		layer_fini(&conn->layer[side]);
	free(conn);
}
