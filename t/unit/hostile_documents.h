/* hostile_documents.h - the documents of t/hostile.tsv, made when they are wanted: some have megabytes. */
#ifndef PO_HOSTILE_DOCUMENTS_H
#define PO_HOSTILE_DOCUMENTS_H

#include <stddef.h>

typedef struct {
    char *data;                         /* malloc'd, with a NUL behind it */
    size_t len;
} hostile_document;

/* The document that nothing is wrong with: a setup of the buyer acme of t/conf/extra.conf.in. */
void hostile_good(hostile_document *out);

/* The name of the document at this place, NULL behind the last. variants: so many have this name (truncations). */
const char *hostile_name(int at, int *variants);

/* 1, or 0 when there is none of that name. variant: from 0. */
int hostile_make(const char *name, int variant, hostile_document *out);

#endif
