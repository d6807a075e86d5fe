"""What every model is made of: tensors, activations, layers, and what trains them."""
