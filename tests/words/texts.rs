//! Descriptions: they are the reference, so they must be whole.

use std::collections::BTreeSet;

use fviz::spec::{Kind, Param, Presence, Type};
use fviz::words::registry;

use crate::support::parse;

#[test]
fn names_are_one_of_a_kind_and_snake_case() {
    let mut seen = BTreeSet::new();
    for spec in registry::all() {
        assert!(seen.insert((spec.kind, spec.name)), "{} twice", spec.name);
        let snake = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(snake(spec.name), "{}", spec.name);
        let mut names = BTreeSet::new();
        for param in spec.params {
            assert!(snake(param.name) && names.insert(param.name), "{} of {}", param.name, spec.name);
        }
        for param in spec.params {
            let taken = param.aliases.iter().find(|alias| !names.insert(alias));
            assert_eq!(taken, None, "an alias in {} means two things", spec.name);
        }
        assert_eq!(registry::find(spec.kind, spec.name).map(|found| found.name), Some(spec.name));
    }
    assert_eq!(registry::named("gaussian").len(), 2);
    assert!(Kind::ALL.iter().all(|kind| !registry::of(*kind).is_empty()));
}

#[test]
fn an_alias_means_one_word_of_its_kind() {
    for kind in Kind::ALL {
        let mut seen: BTreeSet<&str> = registry::of(kind).iter().map(|spec| spec.name).collect();
        for spec in registry::of(kind) {
            for alias in spec.aliases {
                assert!(seen.insert(alias), "`{alias}` of {} is taken", spec.name);
            }
        }
    }
}

#[test]
fn words_say_what_they_are() {
    for spec in registry::all() {
        let name = spec.name;
        assert!(!spec.summary.is_empty() && !spec.summary.ends_with('.') && !spec.summary.contains('\n'), "{name}");
        assert!(spec.doc.chars().count() >= 40 || !spec.summary.is_empty(), "{name}");
        assert!(spec.doc.ends_with(['.', ')', '…']), "{name}: {}", spec.doc);
        assert!(
            spec.example.split([' ', '(', '{', '.', ',', ')']).any(|word| word == name),
            "{name}: {}",
            spec.example
        );
        assert!(spec.positional <= 2 && spec.positional <= spec.params.len(), "{name}");
        for param in spec.params {
            assert!(param.doc.ends_with('.') && param.doc.chars().count() > 15, "{} of {name}", param.name);
        }
    }
}

#[test]
fn defaults_can_be_read_and_lie_in_range() {
    for spec in registry::all() {
        for param in spec.params {
            if let Presence::Default(text) = param.presence {
                assert!(parse(param, text).is_some(), "{text} of {} of {}", param.name, spec.name);
            }
        }
    }
}

#[test]
fn only_numbers_are_drawn_or_tweened_and_never_a_size() {
    for spec in registry::all() {
        for param in spec.params.iter().filter(|param: &&Param| param.draws || param.animates) {
            assert!(matches!(param.ty, Type::Number { .. } | Type::Integer { .. }), "{} of {}", param.name, spec.name);
        }
    }
}
