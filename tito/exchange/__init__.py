"""The exchange: what brings assignments to students, submissions to the grader and feedback back.

    protocol/   what both sides agree on: names, manifests, receipts, deadlines, errors
    server/     the exchange itself: blobs by their SHA-256, what is known of them, every rule, and the service around
    client/     the side of a student or an instructor, over HTTP or in a folder, with nbgrader's exchange classes

A student's server needs these, and of the platform errors, models, course and nbgrader_settings.
"""
