"""Raw text -> clean shards.

    sources -> readers -> clean -> quality, identify -> dedup -> split, shares -> shards

Every document that is refused has a named reason, every reason a count and samples (`dropped.jsonl`). Which side of
the split a document falls on is decided by the hash of its cleaned text alone, before any other rule, so it is the
same in every corpus.

Try it: `mothertongue corpus --language cs --sources 'texts/*.txt' --out runs/czech/corpus`
"""
