//! Selectors: what they read, print and match.

use proptest::prelude::*;

use super::*;

#[test]
fn forms() {
    for (text, printed) in [
        ("http_reqs", "http_reqs"),
        ("  http_reqs ", "http_reqs"),
        ("http_req_duration{name:cart}", "http_req_duration{name:cart}"),
        ("http_req_duration { status : 200 , method : GET }", "http_req_duration{method:GET,status:200}"),
        ("checks{check:\"price, tax\"}", "checks{check:\"price, tax\"}"),
        ("checks{check:'says \"hi\", twice'}", "checks{check:'says \"hi\", twice'}"),
        ("checks{\"check\":'ok'}", "checks{check:ok}"),
        ("group_duration{group:::outer::inner}", "group_duration{group:::outer::inner}"),
        ("http_reqs{name:GET /api/{id}}", "http_reqs{name:GET /api/{id}}"),
        ("http_reqs{error_code:\"\"}", "http_reqs{error_code:\"\"}"),
    ] {
        let selector = Selector::parse(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        assert_eq!(selector.to_string(), printed);
        assert_eq!(Selector::parse(printed), Ok(selector));
    }
}

#[test]
fn a_series_belongs_when_it_carries_every_tag() {
    let selector = Selector::parse("http_reqs{status:200,name:cart}").expect("a good selector");
    let series = [("method", "GET"), ("name", "cart"), ("status", "200")];
    assert!(selector.matches(series));
    assert!(!selector.matches([("name", "cart")]));
    assert!(!selector.matches([("name", "cart"), ("status", "201")]));
    assert!(Selector::of("http_reqs").matches([]));
}

proptest! {
    #[test]
    fn what_is_read_prints_so_that_it_reads_back(text in prop_oneof![any::<String>(), "m\\{[a-c:,'\"` {}]{0,20}\\}"]) {
        if let Ok(selector) = Selector::parse(&text) {
            prop_assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
        }
    }

    #[test]
    fn more_conditions_match_less(name in "[ab]", status in "[12]", wanted in "[ab]") {
        let series = [("name", name.as_str()), ("status", status.as_str())];
        let wide = Selector::of("m").with("name", &wanted);
        prop_assert_eq!(wide.matches(series), wanted == name);
        prop_assert!(wide.matches(series) || !wide.clone().with("status", "1").matches(series));
    }
}
