//! fviz

fn main() -> std::process::ExitCode {
    // candle keeps a pool of threads that spin between its loops and knows nothing of `--threads`. fviz parallelizes its
    // own operations by rayon, so that pool only takes time from them.
    if std::env::var_os("CANDLE_NUM_THREADS").is_none() {
        // SAFETY: no other thread runs yet, so nothing reads the environment meanwhile.
        unsafe { std::env::set_var("CANDLE_NUM_THREADS", "1") };
    }
    fviz::cli::main()
}
