"""Long work asked for on a page: kept in a table, carried out by the worker, left and come back to."""
