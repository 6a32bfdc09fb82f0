"""What a training run costs: pure functions of a model, a cluster and a layout."""
