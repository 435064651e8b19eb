"""How tensors become codes and scales; `catalog` and `selection` use the standard library only."""
