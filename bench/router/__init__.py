"""Times routing alone, Kagari's matcher beside its peers' routers."""
