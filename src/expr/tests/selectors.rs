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
    assert!(matches(&selector, &series));
    assert!(!matches(&selector, &[("name", "cart")]));
    assert!(!matches(&selector, &[("name", "cart"), ("status", "201")]));
    assert!(matches(&Selector::of("http_reqs"), &[]));
}

fn matches(selector: &Selector, tags: &[(&str, &str)]) -> bool {
    selector.accepts(|wanted| tags.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value))
}

#[test]
fn a_star_stands_for_any_text_unless_it_is_quoted() {
    for (pattern, value, belongs) in [
        ("product*", "product", true),
        ("product*", "products/5", true),
        ("product*", "a product", false),
        ("*/5", "products/5", true),
        ("*/5", "products/5/", false),
        ("GET */{id}", "GET /api/{id}", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a**b", "ab", true),
        ("*", "", true),
        ("'product*'", "products", false),
        ("'product*'", "product*", true),
    ] {
        let selector = Selector::parse(&format!("http_reqs{{name:{pattern}}}")).expect("a good selector");
        assert_eq!(matches(&selector, &[("name", value)]), belongs, "{pattern} {value}");
        assert_eq!(selector.allows("name", value), belongs, "{pattern} {value}");
        assert!(selector.allows("status", value) && !matches(&selector, &[("status", value)]));
        assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
    }
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
        prop_assert_eq!(matches(&wide, &series), wanted == name);
        prop_assert!(matches(&wide, &series) || !matches(&wide.clone().with("status", "1"), &series));
    }
}
