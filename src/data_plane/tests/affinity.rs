use crate::data_plane::request::affinity::{in_cookies, set_cookie};

#[test]
fn the_cookie_that_is_set_is_found_again() {
    let cookie = set_cookie(0x0123_4567_89ab_cdef, false);
    assert_eq!(cookie, "greenlight=0123456789abcdef; Path=/; HttpOnly; SameSite=Lax");
    assert!(set_cookie(1, true).ends_with("; Secure"));
    assert_eq!(in_cookies(b"a=b; greenlight=0123456789abcdef; c=d"), Some(0x0123_4567_89ab_cdef));
}

#[test]
fn a_cookie_that_greenlight_did_not_set_names_no_endpoint() {
    for cookies in [
        "",
        "greenlight",
        "greenlight=",
        "greenlight=12",
        "greenlights=0123456789abcdef",
        "x=greenlight=1",
        "greenlight=0123456789abcdeg",
        "greenlight=0123456789abcdef0",
        "GREENLIGHT=0123456789abcdef",
        "gr\u{e9}enlight=1",
    ] {
        assert_eq!(in_cookies(cookies.as_bytes()), None, "{cookies}");
    }
}
