"""The exchange: what brings assignments to students, submissions to the grader and feedback back.

    names, records, problems     what both sides agree on: names, manifests, receipts, errors
    gateway, client, local       the side of a student or an instructor: over HTTP, or on the store itself
    plugin/                      nbgrader's exchange classes on top of a gateway
    store, tables, database      blobs by their SHA-256, and what is known about them
    ledger                       the exchange itself: every rule but who may do what
    service, identity, access, upload, routes/    the same over HTTP, for whom the hub vouches
    filesystem                   nbgrader's own exchange, with a collect that refuses a forged owner

A student's server needs the first three lines and nothing else of the platform.
"""
