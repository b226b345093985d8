//! Wrong names, calls, uses of `this` and comparisons, and what is said of them.

use super::table;

#[test]
fn variables_and_constants() {
    insta::assert_snapshot!(table("scenario(\"a\", #{ run: browze });\nfn browse() {}"), @"1:23 6 unknown function or variable `browze` | did you mean `browse`?");
    insta::assert_snapshot!(table("scenario(\"a\", #{ run: xyzzy });"), @"1:23 5 unknown function or variable `xyzzy`");
    insta::assert_snapshot!(table("fn f() { x = 1; let count = 1; cuont += 1; }"), @r#"
    1:10 1 unknown variable `x` | a new variable is declared with `let x = …`
    1:32 5 unknown variable `cuont` | did you mean `count`?
    "#);
    insta::assert_snapshot!(table("for (x, i) in 0..10 { print(x + i + j); }"), @"1:37 1 unknown variable `j`");
    insta::assert_snapshot!(table("try { throw 1 } catch (e) { print(e) } print(e);"), @"1:46 1 unknown variable `e`");
    insta::assert_snapshot!(table("let x = 5; let z = switch x { 1 if y > 1 => 1, _ => w };"), @r#"
    1:36 1 unknown variable `y`
    1:53 1 unknown variable `w`
    "#);
    insta::assert_snapshot!(table("let f = |n| f.call(n - 1);"), @"1:13 1 unknown variable `f` | it is declared later or in another block (line 1)");
    insta::assert_snapshot!(table("let x = [a, #{ b: c, \"d\": e }, || f, (g ?? h), i && j, !k, -l];"), @r#"
    1:10 1 unknown variable `a`
    1:19 1 unknown function or variable `c`
    1:27 1 unknown function or variable `e`
    1:35 1 unknown variable `f`
    1:39 1 unknown variable `g`
    1:44 1 unknown variable `h`
    1:48 1 unknown variable `i`
    1:53 1 unknown variable `j`
    1:57 1 unknown variable `k`
    1:61 1 unknown variable `l`
    "#);
    insta::assert_snapshot!(table("while x > 1 { let y = 1; break y; } do { z } while y; loop { break q; }"), @r#"
    1:7 1 unknown variable `x`
    1:42 1 unknown variable `z`
    1:52 1 unknown variable `y`
    1:68 1 unknown variable `q`
    "#);
    insta::assert_snapshot!(table("fn f() { return nope; } fn g() { throw nope2; }"), @r#"
    1:17 4 unknown variable `nope`
    1:40 5 unknown variable `nope2`
    "#);
    insta::assert_snapshot!(table("export nope; export const X = nope3;"), @r#"
    1:8 4 unknown variable `nope`
    1:31 5 unknown variable `nope3`
    "#);
    insta::assert_snapshot!(table("fn f(a) { |b| { a + b + c }; |c| a + c; d }"), @r#"
    1:25 1 unknown variable `c`
    1:41 1 unknown variable `d`
    "#);
    insta::assert_snapshot!(table("fn run() { group(\"g\", || { x + 1 }); check(\"c\", yy == 1); }"), @r#"
    1:28 1 unknown variable `x`
    1:49 2 unknown variable `yy`
    "#);
}

#[test]
fn functions_methods_and_modules() {
    insta::assert_snapshot!(table("fn f() { let g = |a| a + zz;\n  let h = || { || cfg + 1 }; }\nlet cfg = 1;"), @r#"
    1:26 2 unknown variable `zz`
    2:19 3 `cfg` is a top-level `let`; make it `const` and write `global::cfg` | not visible inside functions
    "#);
    insta::assert_snapshot!(table("let r = http::get(\"/\", #{}, 3);"), @"1:9 9 `http::get` takes 1 or 2 arguments, not 3");
    insta::assert_snapshot!(table("http::get();"), @"1:1 9 `http::get` takes 1 or 2 arguments, not 0");
    insta::assert_snapshot!(table("htpp::get(\"/\");"), @"1:1 4 unknown module `htpp` | did you mean `http`?");
    insta::assert_snapshot!(table("fn f() { let r = http::get(\"/\"); r.json(\"$.a\", 2); r.text(); r.statuss(); r.status(); }"), @r#"
    1:36 4 `json` takes no or 1 argument, not 2
    1:54 4 unknown method `text`
    1:64 7 unknown method `statuss` | did you mean the property `status`?
    1:77 6 unknown method `status` | `status` is a property: write it without `()`
    "#);
    insta::assert_snapshot!(table("let x = 30.secs; let y = 300.msec;"), @r#"
    1:12 4 a number has no property `secs` | did you mean `.s`?
    1:30 4 a number has no property `msec` | did you mean `.ms`?
    "#);
    insta::assert_snapshot!(table("const CFG = 1; fn f() { CFG + global::CFG + global::CFFG + global::let_it } let let_it = 1;"), @r#"
    1:25 3 `CFG` is a top-level `const`; inside a function write `global::CFG` | not visible here
    1:45 12 unknown constant `global::CFFG` | did you mean `global::CFG`?
    1:60 14 `let_it` is a top-level `let`; make it `const` and write `global::let_it` | not visible inside functions
    "#);
    insta::assert_snapshot!(table("import \"std/think\" as think;\nfn f() { think::unifrom(1, 2); think::uniform(1); think::hidden(); think::SHORT + think::LONG; think::fixed; thnk::fixed(1) }"), @r#"
    2:10 14 unknown function `think::unifrom` | did you mean `think::uniform`?
    2:32 14 `think::uniform` takes 2 arguments, not 1
    2:51 13 unknown function `think::hidden`
    2:83 11 unknown constant `think::LONG`
    2:96 12 `think::fixed` is a function of a module; it cannot be used as a value | wrap it: `|x| think::fixed(x)`
    2:110 4 unknown module `thnk` | did you mean `think`?
    "#);
    insta::assert_snapshot!(table("fn f() { import \"std/think\" as t; t::fixed(1); }\nfn g() { t::fixed(1) }"), @"2:10 1 warning: the module `t` is not imported here | its `import` stands in another block or further down; put it at the top of the file");
    insta::assert_snapshot!(table("fn f() { slep(5.s); get(\"/\"); sleep(1, 2); f(1) }"), @r#"
    1:10 4 unknown function `slep` | did you mean `sleep`?
    1:21 3 `get` takes 2 arguments, not 1 | did you mean `http::get`?
    1:31 5 `sleep` takes 1 argument, not 2
    1:44 1 `f` takes no arguments, not 1
    "#);
    insta::assert_snapshot!(table("let f = |x| x; f(1);"), @"1:16 1 `f` is a variable, not a function | call the closure in it with `f.call(…)`");
    insta::assert_snapshot!(table("let s = `a\n${b}\n  c ${ d + e.f(g) } ${`nested ${h}`}`;"), @r#"
    2:3 1 unknown variable `b`
    3:8 1 unknown variable `d`
    3:12 1 unknown variable `e`
    3:14 1 unknown method `f`
    3:16 1 unknown variable `g`
    3:33 1 unknown variable `h`
    "#);
    insta::assert_snapshot!(table("Fn(\"nope\"); Fn(\"run\").call(); fn run() {}"), @"1:4 6 unknown function `nope`");
    insta::assert_snapshot!(table("vu::LIMIT + vu::LIMITS + vu::id"), @r#"
    1:13 10 unknown constant `vu::LIMITS` | did you mean `vu::LIMIT`?
    1:26 6 `vu::id` is a function of a module; it cannot be used as a value | wrap it: `|| vu::id()`
    "#);
    insta::assert_snapshot!(table("fn map.foo() { this.x } let m = #{}; m.foo(); m.fooo(); foo(m);"), @r#"
    1:49 4 unknown method `fooo` | did you mean `foo`?
    1:57 3 unknown function `foo` | it is a method: `value.foo(…)`
    "#);
    insta::assert_snapshot!(table("let a = [1]; a[b].c[d].e(f).g; x.y.z(w);"), @r#"
    1:16 1 unknown variable `b`
    1:21 1 unknown variable `d`
    1:24 1 unknown method `e`
    1:26 1 unknown variable `f`
    1:32 1 unknown variable `x`
    1:36 1 unknown method `z`
    1:38 1 unknown variable `w`
    "#);
    insta::assert_snapshot!(table("let x = std::think::y(1); std::z;"), @r#"
    1:9 3 unknown module `std` | a library is imported at the top: `import "…" as std;`
    1:27 3 unknown module `std` | a library is imported at the top: `import "…" as std;`
    "#);
    insta::assert_snapshot!(table("status(r);"), @r#"
    1:1 6 unknown function `status` | `status` is a property: `value.status`
    1:8 1 unknown variable `r`
    "#);
    insta::assert_snapshot!(table("fn f() { let r = http::get(\"/\"); let n = r.status; n.gett(1); r.jsonn; }"), @"1:54 4 unknown method `gett` | did you mean `get`?");
    insta::assert_snapshot!(table("let x = 1.5.sec; let y = 10.per_second;"), @r#"
    1:13 3 a number has no property `sec` | did you mean `.s`?
    1:29 10 a number has no property `per_second`
    "#);
    insta::assert_snapshot!(table("switch r.status { 200 => gone(), 201..300 => http::gone(), _ => 1 }"), @r#"
    1:8 1 unknown variable `r`
    1:26 4 unknown function `gone`
    1:46 10 unknown function `http::gone`
    "#);
    insta::assert_snapshot!(table("const NAMES = [\"a\"]; fn f() { for n in NAMES { print(n) } NAMES.len() }"), @r#"
    1:40 5 `NAMES` is a top-level `const`; inside a function write `global::NAMES` | not visible here
    1:59 5 `NAMES` is a top-level `const`; inside a function write `global::NAMES` | not visible here
    "#);
    insta::assert_snapshot!(table("let hosts = []; fn f() { hosts.push(1); hosts[0] = 2; hosts = 3; }"), @r#"
    1:26 5 `hosts` is a top-level `let`; make it `const` and write `global::hosts` | not visible inside functions
    1:41 5 `hosts` is a top-level `let`; make it `const` and write `global::hosts` | not visible inside functions
    1:55 5 `hosts` is a top-level `let`; make it `const` and write `global::hosts` | not visible inside functions
    "#);
    insta::assert_snapshot!(table("http::get::deep(1); vu::id::X;"), @r#"
    1:7 3 unknown module `http::get`
    1:25 2 unknown module `vu::id`
    "#);
    insta::assert_snapshot!(table("global::f(); fn f() {} global::nope();"), @r#"
    1:1 9 `global::f`: only constants are reached through `global::` | write `f(…)`
    1:24 12 unknown function `nope`
    "#);
    insta::assert_snapshot!(table("fn f(data) { data.each(|x| x + dta) }"), @r#"
    1:19 4 unknown method `each`
    1:32 3 unknown variable `dta` | did you mean `data`?
    "#);
    insta::assert_snapshot!(table("fn f() { 1 } f.call(); f.callme(); let s = \"a\".trimm();"), @r#"
    1:26 6 unknown method `callme`
    1:48 5 unknown method `trimm` | did you mean `trim`?
    "#);
}

#[test]
fn this_where_there_is_none() {
    insta::assert_snapshot!(table("fn setup() { this.x = 1; }\nfn teardown(d) { group(\"x\", || { this.y }); [1].map(|| this); }\nfn summary(r) { this.z }"), @r#"
    1:14 4 there is no `this` in `setup` | `this` is the state of one user
    2:34 4 there is no `this` in `teardown` | `this` is the state of one user
    3:17 4 there is no `this` in `summary` | `this` is the state of one user
    "#);
    insta::assert_snapshot!(table("threshold(\"x\", |m| this.y < 1);\ncurve(|t| this.x, 10);"), @r#"
    1:20 4 there is no `this` in a closure given to `threshold` | it runs outside any user
    2:11 4 there is no `this` in a closure given to `curve` | it runs outside any user
    "#);
    insta::assert_snapshot!(table("fn helper() { this.x }\nfn run() { helper(); this.helper(); }"), @"2:12 6 warning: `helper` uses `this`, but this call gives it none | write `this.helper()`");
    insta::assert_snapshot!(table("fn run() { let f = |x| this.y + x; f.call(1); }"), @"1:24 4 there is no `this` in a closure that the script calls itself with `f.call(…)` | nothing is bound here");
    insta::assert_snapshot!(table("fn run() { let f = |x| this.y + x; group(\"a\", f); this.call(f, 1) }"), @"");
    insta::assert_snapshot!(table("fn add(a, b) { a + b } let x = 1; x.add(2); x.add(1, 2);"), @"1:37 3 `add` takes 2 arguments, not 1 | write `add(value, …)`: called as a method, a script function gets the value as `this`");
    insta::assert_snapshot!(table("fn setup() { helper() } fn helper() { if true { this.x } else { 1 } }"), @"1:14 6 warning: `helper` uses `this`, but this call gives it none | write `this.helper()`");
    insta::assert_snapshot!(table("fn setup() { let f = || this.x; [1, 2].filter(|| this > 1); group(\"g\", || group(\"h\", || this.y)); }"), @"1:89 4 there is no `this` in `setup` | `this` is the state of one user");
    insta::assert_snapshot!(table("alert(\"a\", #{ when: \"x\", then: |a| { this.b } });"), @"1:38 4 there is no `this` in a closure given to `alert` | it runs outside any user");
    insta::assert_snapshot!(table("fn run() { let f = |x| this.y + x; let g = f; f = |x| x; f.call(1); }"), @"");
}

#[test]
fn comparisons_that_never_hold() {
    insta::assert_snapshot!(table("fn f() { let r = http::get(\"/\"); if r.status == \"200\" { } if \"404\" != r.status {} if r.timings.duration < 300 {} }"), @r#"
    1:49 5 warning: `status` is a number and "200" a string: comparing them is always false | write `200`
    1:62 5 warning: `status` is a number and "404" a string: comparing them is always true | write `404`
    1:107 3 warning: `timings.duration` is a duration and 300 a bare number: they cannot be compared | write `300.ms`
    "#);
    insta::assert_snapshot!(table("let a = 1 == \"1\";"), @"1:11 2 warning: a number compared with a string: always false");
    insta::assert_snapshot!(table("let r = http::get(\"/\"); print(r.error_code != \"1000\" && \"200\" == r.x.status && r.timings.wait >= 5);"), @r#"
    1:47 6 warning: `error_code` is a number and "1000" a string: comparing them is always true | write `1000`
    1:57 5 warning: `status` is a number and "200" a string: comparing them is always false | write `200`
    1:98 1 warning: `timings.wait` is a duration and 5 a bare number: they cannot be compared | write `5.ms`
    "#);
}

#[test]
fn what_only_running_could_tell() {
    insta::assert_snapshot!(table("import \"nowhere\" as n;\nfn f() { n::anything(1); n::X }"), @"");
    insta::assert_snapshot!(table("print(is_def_var(\"q\") && q);"), @"");
    insta::assert_snapshot!(table("eval(\"let x = 1\"); x"), @"");
    insta::assert_snapshot!(table("fn f() { g!(1) } fn g(x) { unknown + x }"), @"");
}
