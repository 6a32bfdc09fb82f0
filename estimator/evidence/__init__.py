"""What published runs say of a question: correction and range; knows not how constants were fitted."""
