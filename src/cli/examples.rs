//! The ends of the help pages.

/// Of `fviz`.
pub const EXAMPLES: &str = "\
Examples:
  fviz new hen            write a recipe to begin with, hen.fviz
  fviz hen.fviz           run it (short for `fviz run hen.fviz`)
  fviz watch hen.fviz     run it again whenever it is saved
  fviz explain blur       what a word of the language means

Exit status:
  0    all is well
  1    a recipe is wrong, a score is not a number (NaN), or a picture differs from its golden file
  2    the command line makes no sense
  3    weights are missing, files can't be written, the machine lacks something
  130  interrupted";

/// Of `fviz run`.
pub const RUN_EXAMPLES: &str = "\
Examples:
  fviz run hen.fviz
  fviz run hen.fviz -o out --steps 20
  fviz run any-class.fviz --set 'target=\"hen\"'
  fviz run out/hen.gif -o again
  echo 'maximize class(0)' | fviz run -";

/// Of `fviz watch`.
pub const WATCH_EXAMPLES: &str = "\
Examples:
  fviz watch hen.fviz
  fviz watch hen.fviz -o out --steps 50";

/// Of `fviz check`.
pub const CHECK_EXAMPLES: &str = "\
Examples:
  fviz check hen.fviz
  fviz check recipes/*.fviz --diagnostic-format short";

/// Of `fviz explain`.
pub const EXPLAIN_EXAMPLES: &str = "\
Examples:
  fviz explain gaussian
  fviz explain unknown_class
  fviz explain hen.fviz";

/// Of `fviz layers`.
pub const LAYERS_EXAMPLES: &str = "\
Examples:
  fviz layers
  fviz layers resnet18
  fviz layers 'resnet18(weights = \"mine.safetensors\")'";

/// Of `fviz classes`.
pub const CLASSES_EXAMPLES: &str = "\
Examples:
  fviz classes
  fviz classes hen --model resnet18
  fviz classes 8 --model resnet18";

/// Of `fviz classify`.
pub const CLASSIFY_EXAMPLES: &str = "\
Examples:
  fviz classify cat.jpg --model resnet18
  fviz classify cat.jpg --model resnet18 --layer layer3.1.relu_1 --top 10";

/// Of `fviz trace`.
pub const TRACE_EXAMPLES: &str = "\
Examples:
  fviz trace cat.jpg --model resnet18
  fviz trace cat.jpg --model resnet18 --class 'Persian cat' --layer layer3 --layer layer4 --top 6 -o why.png";

/// Of `fviz exemplars`.
pub const EXEMPLARS_EXAMPLES: &str = "\
Examples:
  fviz exemplars photos --unit layer3.1:42 --model resnet18
  fviz exemplars photos --unit layer3:42 --unit layer4:7 --model resnet18 --top 5 -o units.png";

/// Of `fviz judge`.
pub const JUDGE_EXAMPLES: &str = "\
Examples:
  fviz judge hen.png --class hen --model mobilenet_v2
  fviz judge hen-*.png --class hen --model mobilenet_v2 --model squeezenet1_1";

/// Of `fviz show`.
pub const SHOW_EXAMPLES: &str = "\
Examples:
  fviz show hen.gif
  fviz show hen.gif --recipe > again.fviz";

/// Of `fviz profile`.
pub const PROFILE_EXAMPLES: &str = "\
Times are means of an image and of a step; the first two, which prepare weights, are not counted.

Examples:
  fviz profile hen.fviz
  fviz profile hen.fviz --threads 1 --steps 50";

/// Of `fviz test`.
pub const TEST_EXAMPLES: &str = "\
A recipe without a golden file is told and passes; `--bless` writes one.

Examples:
  fviz test
  fviz test recipes/first.fviz
  fviz test recipes --bless";

/// Of `fviz new`.
pub const NEW_EXAMPLES: &str = "\
Examples:
  fviz new hen
  fviz new recipes/hen";

/// Of `fviz completions`.
pub const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  fviz completions bash > ~/.local/share/bash-completion/completions/fviz
  fviz completions fish > ~/.config/fish/completions/fviz.fish";
