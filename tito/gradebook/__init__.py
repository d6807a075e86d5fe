"""What is read out of the gradebook: grades with the late policy applied, exports."""
