//! fviz
fn main() {}
