//! Valid scripts in the idioms of the language: nothing may be found in them.

use super::findings;
use super::short;

/// The quickstart's language features.
const QUICKSTART: &str = r##"
import "std/think" as think;

options(#{ base_url: env("BASE_URL", demo::shop()) });

scenario("browse", #{
    users: ramp(1, 20, 5.s).hold(20.s).ramp_to(0, 5.s),
    start: login,
    run:   browse,
});

scenario("checkout", #{ rate: constant(5.per_s).hold(30.s), max_users: 50, run: checkout });

threshold("http_req_failed", "rate < 1%");
threshold("http_req_duration{name:product}", "p(95) < 300ms over 10s", #{ abort: true });
alert("slow tail", #{ when: "p(99) of http_req_duration over 10s > 800ms", lasting: 5.s, severity: "warning" });

fn setup() { #{ catalogue: http::get("/api/products").json() } }

fn login(data) { this.token = http::post("/api/login", #{ user: `u${vu::id()}` }).json("$.token"); }

fn browse(data) {
    let page = http::get(`/api/products/${rand::pick(data.catalogue).id}`, #{ name: "product" });
    check(page, #{
        "status is 200": |r| r.status == 200,
        "has a price":   |r| r.json("$.price") > 0,
    });
    sleep(think::uniform(500.ms, 2.s));
}

fn checkout(data) {
    group("checkout", || {
        let cart = http::post("/api/cart", #{ sku: 42 });
        check("cart accepted", cart.status == 201);
    });
}

fn teardown(data) { http::post("/api/reset"); }
"##;

const VALID: [&str; 45] = [
    "fn run() { let r = http::get(\"/\"); print(r.json()[0].id); print(r.json(\"$\")[1].name.len()); let m = [#{ a: [#{ b: 1 }] }]; m[0].a[0].b = 2; }",
    "",
    "// only a comment",
    "let x = 1; let x = x + 1; print(x);",
    "const A = 1; const B = A + 1; fn f() { global::A + global::B }",
    "let total = 0; for i in 0..10 { total += i; } print(total);",
    "for (item, index) in [1, 2] { print(`${index}: ${item}`); }",
    "let x = 1; { let y = x; print(y); } print(x);",
    "let x = 5; while x > 0 { x -= 1; if x == 2 { continue; } else { break; } }",
    "let n = 3; let r = loop { n -= 1; if n == 0 { break n * 2; } }; print(r);",
    "let i = 0; do { i += 1; } while i < 3; do { i -= 1 } until i == 0;",
    "try { throw #{ code: 1 }; } catch (err) { print(err.code); } try { fail(\"x\"); } catch { print(1); }",
    "let v = 3; switch v { 1 => print(v), 7 | 2..5 if v > 2 => { let y = v; print(y) }, \"x\" => (), _ => print(0) }",
    "let v = switch 3 { 1 | 2 => \"low\", _ => \"high\" };",
    "let count = 0; let add = |n| { count += n; count }; add.call(2); print(count);",
    "let a = 1; let outer = || { let inner = |b| a + b; inner.call(2) }; outer.call();",
    "fn f(data) { let a = 1; group(\"g\", || { group(\"h\", || { let b = a + data.x; check(\"c\", b > a); }) }) }",
    "let doubled = [1, 2, 3].map(|x| x * 2).filter(|x| x > 2).reduce(|sum, x| sum + x, 0);",
    "let found = [1, 2].some(|x| x == 2) && [1].all(|x| x > 0); print(found);",
    "[3, 1].sort(|a, b| a - b); [1].for_each(|i| { this += i; });",
    "fn add(a, b) { a + b } let add2 = Fn(\"add\").curry(2); add2.call(3); call(add2, 3); let more = curry(add, 1); more.call(2);",
    "fn double(x) { x * 2 } [1, 2].map(double); let f = double; f.call(2); let g = later; fn later() { 1 }",
    "fn even(n) { n == 0 || odd(n - 1) } fn odd(n) { n != 0 && even(n - 1) } even(4);",
    "let m = #{ \"content-type\": \"x\", default_: 1, \"default\": 2 }; m[\"default\"] = 3; m.new_key = m[\"content-type\"]; m.a = #{ b: [1] }; m.a.b[0] += 1;",
    "let m = #{ a: () }; print(m?.a?.b ?? \"none\"); print(m?[\"x\"] ?? 1); let y = m.a ?? 2;",
    "let m = #{ twice: |x| x * 2, name: \"n\" }; m.twice(2); m.named = |x| x; m.named(1); m[\"other\"] = |x| x; m.other(2);",
    "fn greet() { `hello ${this.name}` } let m = #{ name: \"x\" }; m.greet(); m.call(|x| this.name + x, 1);",
    "fn start(data) { this.count = 0; this.items = []; } fn run(data) { this.count += 1; this.items.push(this.count); this.helper(1); } fn helper(n) { this.count += n; }",
    "scenario(\"a\", #{ run: || { this.n = 1; }, start: |data| { this.token = data; } });",
    "fn run() { check(http::get(\"/\"), #{ \"mine\": |r| r.json(\"$.id\") == this.id }); group(\"x\", || this.y = 1); }",
    "fn run() { import \"std/think\" as t; sleep(t::fixed(1)); if true { import \"std/think\" as u; t::fixed(u::SHORT); } }",
    "import \"std/think\" as think; fn run() { let m = #{ a: 1 }; print(m.total()); sleep(think::SHORT); }",
    "export const LIMIT = 10; export let common = LIMIT; let inner = 1; export inner as outer; private fn hidden() { 1 } fn shown() { hidden() }",
    "fn int.half() { this / 2 } fn string.shout() { this + \"!\" } let x = 4; print(x.half()); \"a\".shout();",
    "let s = `a ${1 + 2} ${`nested ${\"deep\"}`} ${if true { \"x\" } else { \"y\" }}`; let lines = `one\n  ${s}\nthree`; print(lines.len());",
    "let a = [1, [2, 3]]; a[1][0] = 5; a[0..1]; a[-1]; a.len; a.len(); let s = \"abc\"; s[0]; s.sub_string(1); s.to_upper();",
    "let x = 1; let y = if x > 0 { \"p\" } else if x < 0 { \"n\" } else { \"z\" }; let z = { let q = 1; q + x };",
    "if \"a\" in [\"a\"] || 1 !in [2] { } if !(1 == 2) && -1 < +2 { } let b = 1 << 2 | 3 & 4 ^ 5; let p = 2 ** 3 % 4;",
    "let r = http::get(\"/\"); if r.status == 200 && r.status != 404 { } let user = #{ status: \"active\" }; if user.status == \"active\" { }",
    "fn f(x) { if x == () { return; } if type_of(x) == \"string\" { return x.len; } x } f(());",
    "fn f() { print(is_def_var(\"maybe\")); if is_def_fn(\"g\", 1) { g(1) } }",
    "fn bump() { count += 1 } let count = 0; bump!();",
    "let f = (|x| x + 1); print(f.call(1)); let list = [|| 1, || 2]; list[0].call();",
    "let now = timestamp(); print(now.elapsed); let b = blob(3); parse_int(\"1\").to_float(); (1.5).to_string(); 1.5.floor();",
    "threshold(\"x\", |m| m.p(95, \"http_req_duration\", 30.s) < 300); fn p(a, b, c) { a }",
];

#[test]
fn the_quickstart_is_clean() {
    let found = findings(&[("std/think", super::THINK)], QUICKSTART);
    assert_eq!(short(&found), "");
}

#[test]
fn idiomatic_scripts_are_clean() {
    let wrong: Vec<String> = VALID
        .iter()
        .map(|source| (source, findings(&[("std/think", super::THINK)], source)))
        .filter(|(_, found)| !found.is_empty())
        .map(|(source, found)| format!("{source}\n{}", short(&found)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn imported_libraries_are_linted_under_their_own_path() {
    let found = findings(
        &[
            ("a", "import \"b\" as b; fn one() { b::two(missing) + b::three() }"),
            ("b", "const HIDDEN = 1; fn two(x) { x + HIDDEN } fn setup() { this.x }"),
        ],
        "import \"a\" as a; a::one(); a::b::two(1); a::b::twoo(1); a::c::two(1);",
    );
    insta::assert_snapshot!(short(&found), @r"
    a:1:36 7 unknown variable `missing`
    a:1:47 8 unknown function `b::three`
    b:1:35 6 `HIDDEN` is a top-level `const`; inside a function write `global::HIDDEN` | not visible here
    1:42 10 unknown function `a::b::twoo` | did you mean `a::b::two`?
    1:60 1 unknown module `a::c`
    ");
}

#[test]
fn libraries_that_import_each_other_come_to_an_end() {
    let found = findings(
        &[("a", "import \"b\" as b; fn f() { b::g() }"), ("b", "import \"a\" as a; fn g() { a::f() + nope }")],
        "import \"a\" as a; a::f();",
    );
    insta::assert_snapshot!(short(&found), @"b:1:36 4 unknown variable `nope`");
}
