//! The command line as a person sees it: `tests/cmd/*.md` hold commands, what they print and their exit codes.
//! `TRYCMD=overwrite cargo test --test cmd` writes them anew; read the diff.

#[test]
fn commands_print_what_is_written() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .env("FVIZ_MODELS", "")
        .env("FVIZ_CACHE", "nowhere")
        .case("tests/cmd/*.md")
        .run();
}
