"""Alert lists: who among the alerting instances is the cause, without labels and with them."""
