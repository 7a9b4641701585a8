//! `docs/RULES.md` tells the truth: every number has its row, its function and its tests.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test; the readers of the page below are part of it"
)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn numbers() -> Vec<String> {
    (1..=19).map(|n| format!("D{n}")).chain((1..=9).map(|n| format!("A{n}"))).collect()
}

/// Cells of the table rows, without the leading and trailing bar.
fn rows() -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("docs/RULES.md")).unwrap();
    page.lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|---"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// Rows of the numbered rules: number, rule, function, tests.
fn numbered_rows() -> Vec<Vec<String>> {
    rows().into_iter().filter(|row| numbers().contains(&row[0])).collect()
}

/// The `file::item` pieces in backquotes of a cell.
fn items(cell: &str) -> Vec<(String, String)> {
    cell.split('`')
        .filter_map(|piece| piece.split_once("::"))
        .map(|(file, item)| (file.to_owned(), item.to_owned()))
        .collect()
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Whether `text` holds `number` as a word: not D1 in D13.
fn holds(text: &str, number: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.eq_ignore_ascii_case(number))
}

/// Whether the line begins the Rust function or struct `item`.
fn begins(line: &str, item: &str) -> bool {
    ["fn ", "struct "].iter().any(|kind| {
        line.split_once(&format!("{kind}{item}")).is_some_and(|(_, rest)| {
            !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    })
}

fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "rs")
}

/// The comment and attribute lines right above the item, and its own first line. Outside Rust
/// the first line that holds the item's text counts as its own.
fn head_of(file: &str, item: &str) -> String {
    let source = fs::read_to_string(root().join(file)).unwrap_or_else(|no| panic!("{file}: {no}"));
    let lines: Vec<&str> = source.lines().collect();
    let rust = is_rust(file);
    let at = lines
        .iter()
        .position(|line| if rust { begins(line, item) } else { line.contains(item) })
        .unwrap_or_else(|| panic!("{file} has no {item}"));
    let above = lines[..at].iter().rev().take_while(|line| {
        let line = line.trim_start();
        line.starts_with("//") || line.starts_with("#[")
    });
    above.chain(std::iter::once(&lines[at])).copied().collect::<Vec<_>>().join("\n")
}

#[test]
fn every_number_has_one_row() {
    for number in numbers() {
        let count = rows().iter().filter(|row| row.first() == Some(&number)).count();
        assert_eq!(count, 1, "docs/RULES.md needs one row for {number}");
    }
}

#[test]
fn every_number_is_in_one_doc_comment_of_the_rules() {
    let mut files = Vec::new();
    rust_files(&root().join("crates/domain/src/rules"), &mut files);
    let sources: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let comments: Vec<&str> = sources
        .iter()
        .flat_map(|source| source.lines())
        .filter(|line| line.trim_start().starts_with("///"))
        .collect();
    for number in numbers() {
        let found: Vec<_> = comments.iter().filter(|line| holds(line, &number)).collect();
        assert_eq!(found.len(), 1, "{number} belongs into one doc comment: {found:?}");
    }
}

#[test]
fn every_row_names_a_function_with_the_number_in_its_doc_comment() {
    for row in numbered_rows() {
        let functions = items(&row[2]);
        assert_eq!(functions.len(), 1, "one function for {}", row[0]);
        for (file, item) in functions {
            assert!(
                holds(&head_of(&file, &item), &row[0]),
                "{file}::{item} does not name {}",
                row[0]
            );
        }
    }
}

#[test]
fn every_row_names_tests_that_name_the_number() {
    for row in numbered_rows() {
        let tests = items(&row[3]);
        assert!(!tests.is_empty(), "{} has no test", row[0]);
        for (file, test) in tests {
            let head = head_of(&file, &test);
            let is_test =
                !is_rust(&file) || file.ends_with("properties.rs") || head.contains("test]");
            assert!(is_test || head.contains("test("), "{file}::{test} is no test");
            assert!(holds(&head, &row[0]), "{file}::{test} does not name {}", row[0]);
        }
    }
}

#[test]
fn rows_without_a_number_name_what_is_there() {
    let others: Vec<_> =
        rows().into_iter().filter(|row| row.len() == 3 && row[0] != "rule").collect();
    assert!(others.len() >= 10, "the table of rules without a number is gone");
    for row in others {
        let named: Vec<_> = items(&row[1]).into_iter().chain(items(&row[2])).collect();
        assert!(named.len() >= 2, "{} needs a function and a test", row[0]);
        for (file, item) in named {
            assert!(!head_of(&file, &item).is_empty());
        }
    }
}
