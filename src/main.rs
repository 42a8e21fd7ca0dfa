//! fviz
fn main() -> std::process::ExitCode {
    fviz::cli::main()
}
