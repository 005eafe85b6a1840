"""BHXH electronic-transaction registration for HR and payroll software."""
