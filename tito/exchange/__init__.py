"""The exchange: what brings assignments to students, submissions to the grader and feedback back.

    names, records, policy, problems    what both sides agree on: names, manifests, receipts, deadlines, errors
    gateway, client, files              the side of a student or an instructor: over HTTP, files checked at both ends
    plugin/                             nbgrader's exchange classes on top of a gateway
    local                               a gateway without a hub: the ledger, opened directly by its only user
    store, tables, database, rows       blobs by their SHA-256, and what is known about them
    ledger, audit                       the exchange itself: every rule but who may do what; and whether it is all there
    service, identity, access, upload, archive, routes/    the same over HTTP, for whom the hub vouches
    filesystem                          nbgrader's own exchange, with a collect that refuses a forged owner

A student's server needs the first three lines, and of the platform errors, models, course and nbgrader_settings.
"""
