"""Dumps of Wikipedia and its sisters: from `wikipedia:cs` to files in the cache.

    names.py   `wikipedia:cs@20261101` -> the database `cswiki` and a date
    web.py     polite HTTP: one connection, retries with patience, resumed downloads, bounded in bytes and time
    dumps.py   the newest finished dump of a wiki and its files, from the site's own dumpstatus.json
    source.py  what of it is kept here, what must be fetched, and fetching it

Try it: `mothertongue corpus --language ltg --source wikipedia:ltg --out runs/ltg/corpus`
"""
