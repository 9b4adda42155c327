"""The engines of Elastic: Lucene's query_string and EQL's conditions run on Apache Lucene itself, ES|QL in an interpreter.

What Elasticsearch puts between a query and Lucene (field types, normalizers, how each language becomes Lucene queries) is
modelled here; each decision names the page of the Elasticsearch reference or the file of elastic/elasticsearch that it
follows. Floor: 8.18. What a cluster adds beyond the meaning of one query (shards, paging, sizes, memory limits) is left out.
"""
