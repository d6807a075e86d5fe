"""What happens to a submission: repair, observe (in the sandbox), judge, record, explain."""
