//! The book leads somewhere: every relative link of README and docs names a file that is there, and a heading in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The text outside of fenced blocks, where `](` is a link.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn links(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    ends.map(|(link, _)| link).filter(|link| !link.contains("://") && !link.contains(' ')).collect()
}

/// Headings as GitHub makes anchors of them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | ' ');
    headings.map(|title| title.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

fn dead(page: &Path) -> Vec<String> {
    let text = prose(&std::fs::read_to_string(page).unwrap());
    let is_dead = |link: &&str| {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let file = if path.is_empty() { page.to_owned() } else { page.parent().unwrap().join(path) };
        let has = || std::fs::read_to_string(&file).is_ok_and(|text| anchors(&prose(&text)).contains(anchor));
        !file.exists() || !(anchor.is_empty() || has())
    };
    links(&text).into_iter().filter(is_dead).map(|link| format!("{}: {link}", page.display())).collect()
}

#[test]
fn every_link_of_the_book_leads_somewhere() {
    let pages = pages();
    assert!(pages.len() > 10, "the book was not found");
    assert_eq!(pages.iter().flat_map(|page| dead(page)).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn dead_links_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("a.md");
    let text = "# Head: one\n[a](#head-one) [b](a.md#head-one) [c](#none) [d](b.md) [e](https://x.test)\n```\n[f](g.md)\n```\n";
    std::fs::write(&page, text).unwrap();
    let dead: Vec<String> = dead(&page).iter().filter_map(|line| line.rsplit(": ").next().map(str::to_owned)).collect();
    assert_eq!(dead, ["#none", "b.md"]);
}
