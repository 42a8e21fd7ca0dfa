//! fviz
