"""What happens to a submission and to a cohort of them: observe in the sandbox, judge, record."""
