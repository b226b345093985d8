//! The reference page of metrics, made from the code so that it cannot be wrong.

use crate::metrics::BUILT_IN;
use std::fmt::Write as _;

/// `docs/reference/metrics.md`: every metric that punk measures itself, with kind, unit and meaning.
pub fn metrics_page() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         <!-- Made from src/metrics/metric.rs; `PUNK_BLESS=1 cargo test metrics_page` writes it anew. -->\n\n\
         Every run measures these. Times are milliseconds, sizes bytes. k6's names have k6's meaning.\n\
         A *counter* is a sum, a *gauge* the last value, a *rate* a share from 0 to 1, a *trend* a distribution.\n\n\
         | metric | kind | unit | meaning |\n\
         |---|---|---|---|\n",
    );
    for def in BUILT_IN {
        let unit = match def.unit.word() {
            "time" => "ms",
            "data" => "bytes",
            "share" => "0–1",
            _ => "",
        };
        let help = def.help.replace('|', "\\|");
        writeln!(page, "| `{}` | {} | {unit} | {help} |", def.name, def.kind).expect("writing to a string cannot fail");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn metrics_page_in_the_book_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/metrics.md");
        if std::env::var_os("PUNK_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("made");
            std::fs::write(&path, metrics_page()).expect("written");
        }
        let book = std::fs::read_to_string(&path).expect("the page is there");
        assert_eq!(book, metrics_page(), "write it anew with PUNK_BLESS=1");
    }
}
