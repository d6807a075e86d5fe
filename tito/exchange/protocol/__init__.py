"""What both sides of the exchange agree on: names, manifests, receipts, deadlines, errors."""
