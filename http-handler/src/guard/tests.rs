use proptest::prelude::*;

use super::*;

fn guard(allow: &str, deny: &str) -> Guard {
    Guard {
        allow: allow.parse().unwrap(),
        deny: deny.parse().unwrap(),
        ports: Ports::default(),
    }
}

fn admit(guard: &Guard, url: &str) -> Result<(), Refusal> {
    guard.admit(&Target::parse(url)?)
}

fn vet(guard: &Guard, name: &str, addresses: &[&str]) -> Result<(), Refusal> {
    let target = Target::parse(&format!("http://{name}/")).unwrap();
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    guard.vet(&target, &addresses)
}

/// Every class of address that is not global unicast, at the ends of its blocks.
const REFUSED: &[(&str, Class)] = &[
    ("0.0.0.0", Class::Unspecified),
    ("0.255.255.255", Class::Unspecified),
    ("10.0.0.0", Class::Private),
    ("10.255.255.255", Class::Private),
    ("100.64.0.0", Class::Shared),
    ("100.127.255.255", Class::Shared),
    ("127.0.0.0", Class::Loopback),
    ("127.0.0.1", Class::Loopback),
    ("127.255.255.255", Class::Loopback),
    ("169.254.0.0", Class::LinkLocal),
    ("169.254.255.255", Class::LinkLocal),
    ("169.254.169.254", Class::Metadata),
    ("169.254.170.2", Class::Metadata),
    ("100.100.100.200", Class::Metadata),
    ("168.63.129.16", Class::Metadata),
    ("192.0.0.192", Class::Metadata),
    ("172.16.0.0", Class::Private),
    ("172.31.255.255", Class::Private),
    ("192.0.0.0", Class::Reserved),
    ("192.0.0.255", Class::Reserved),
    ("192.0.2.1", Class::Documentation),
    ("192.88.99.1", Class::Tunnel),
    ("192.168.0.0", Class::Private),
    ("192.168.255.255", Class::Private),
    ("198.18.0.0", Class::Benchmarking),
    ("198.19.255.255", Class::Benchmarking),
    ("198.51.100.1", Class::Documentation),
    ("203.0.113.1", Class::Documentation),
    ("224.0.0.0", Class::Multicast),
    ("239.255.255.255", Class::Multicast),
    ("240.0.0.0", Class::Reserved),
    ("255.255.255.254", Class::Reserved),
    ("255.255.255.255", Class::Multicast),
    ("::", Class::Unspecified),
    ("::1", Class::Loopback),
    ("::2", Class::EmbeddedIpv4),
    ("::127.0.0.1", Class::EmbeddedIpv4),
    ("::8.8.8.8", Class::EmbeddedIpv4),
    ("::ffff:127.0.0.1", Class::EmbeddedIpv4),
    ("::ffff:10.0.0.1", Class::EmbeddedIpv4),
    ("::ffff:8.8.8.8", Class::EmbeddedIpv4),
    ("::ffff:0:127.0.0.1", Class::EmbeddedIpv4),
    ("64:ff9b::127.0.0.1", Class::Nat64),
    ("64:ff9b::8.8.8.8", Class::Nat64),
    ("64:ff9b:1::10.0.0.1", Class::Nat64),
    ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Class::Nat64),
    ("100::1", Class::Reserved),
    ("2001::1", Class::Tunnel),
    ("2001:0:7f00:1:0:0:f5ff:fffe", Class::Tunnel),
    ("2001:2::1", Class::Benchmarking),
    ("2001:10::1", Class::Reserved),
    ("2001:20::1", Class::Reserved),
    ("2001:db8::1", Class::Documentation),
    ("2002:7f00:1::", Class::Tunnel),
    ("2002:808:808::", Class::Tunnel),
    ("2a00::5efe:10.0.0.1", Class::Tunnel),
    ("3fff::1", Class::Documentation),
    ("3fff:fff:ffff::", Class::Documentation),
    ("4000::1", Class::Reserved),
    ("5f00::1", Class::Reserved),
    ("fc00::1", Class::Private),
    ("fdff::1", Class::Private),
    ("fd00:ec2::254", Class::Metadata),
    ("fd20:ce::254", Class::Metadata),
    ("fe80::1", Class::LinkLocal),
    ("febf::1", Class::LinkLocal),
    ("fec0::1", Class::Private),
    ("feff::1", Class::Private),
    ("ff02::1", Class::Multicast),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Multicast),
];

#[test]
fn every_class_of_address_is_refused_in_a_url_and_behind_a_name() {
    let guard = Guard::default();
    for (address, class) in REFUSED {
        let host = if address.contains(':') {
            format!("[{address}]")
        } else {
            (*address).to_owned()
        };
        let refused = Err(Refusal::Address(*class));
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}/x");
            assert_eq!(admit(&guard, &url), refused, "{url}");
        }
        assert_eq!(vet(&guard, "a.example", &[address]), refused, "{address}");
        let mixed = ["1.1.1.1", address];
        assert_eq!(vet(&guard, "a.example", &mixed), refused, "{address}");
        let mixed = [address, "2606:4700::1111"];
        assert_eq!(vet(&guard, "a.example", &mixed), refused, "{address}");
    }
}

/// Other spellings of 127.0.0.1, of 169.254.169.254 and of 10.0.0.1.
#[test]
fn an_address_is_refused_however_it_is_spelled() {
    let guard = Guard::default();
    for host in [
        "2130706433",
        "0x7f000001",
        "0X7F.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0177.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "127.0.0.01",
        "0x7f.0x0.0x0.0x1",
        "%31%32%37.0.0.1",
        "127%2e0%2e0%2e1",
        "①②⑦.⓪.⓪.①",
        "１２７.０.０.１",
        "127。0。0。1",
        "0",
        "0x0",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "10.1",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[0000:0000:0000:0000:0000:0000:0000:0001]",
        "[::FFFF:A9FE:A9FE]",
        "[0:0::1]",
    ] {
        let url = format!("http://{host}/latest/meta-data/");
        let refused = admit(&guard, &url);
        assert!(
            matches!(refused, Err(Refusal::Address(_))),
            "{host}: {refused:?}"
        );
    }
    // What no address and no name is.
    for host in [
        "256.0.0.1",
        "1.2.3.4.5",
        "127.0.0.1%00.example.com",
        "[::1%25eth0]",
        "[fe80::1%eth0]",
        "0x100000000",
        "4294967296",
        "08.0.0.1",
        "1.2.3.0xg",
    ] {
        let refused = admit(&guard, &format!("http://{host}/"));
        // The last ends in no number, so that it is a name, which resolves to nothing.
        let is_name = host == "1.2.3.0xg" && refused.is_ok();
        assert!(
            is_name || matches!(refused, Err(Refusal::Url(_))),
            "{host}: {refused:?}"
        );
    }
}

#[test]
fn a_url_is_scheme_host_port_and_path_only() {
    for url in [
        "",
        "example.com",
        "//example.com/",
        "http:example.com",
        "http:/example.com",
        "http:\\\\example.com",
        "http:///example.com",
        "http://",
        "http://:80/",
        "http://user@example.com/",
        "http://user:pw@example.com/",
        "http://:pw@example.com/",
        "http://example.com@127.0.0.1/",
        "http://127.0.0.1\\@example.com/",
        "http://exa\nmple.com/",
        "http://exa\tmple.com/",
        "http://example.com/\r\nHost: evil",
        " http://example.com/",
        "http://example.com/ ",
        "http://exam ple.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:-1/",
        "http://a..b/",
        "http://.a/",
        "http://a,b/",
        "http://a%00b/",
        "http://a%2fb/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "ftp://example.com/",
        "dict://127.0.0.1:6379/info",
        "ldap://example.com/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "unix:/var/run/docker.sock",
        "ws://example.com/",
        "HTTPX://example.com/",
    ] {
        let refused = admit(&Guard::default(), url);
        assert!(
            matches!(refused, Err(Refusal::Url(_))),
            "{url:?}: {refused:?}"
        );
    }
    let long = format!("http://example.com/{}", "a".repeat(target::URL_BYTES_MAX));
    assert!(Target::parse(&long).is_err());
}

#[test]
fn an_ordinary_url_is_admitted_and_taken_apart() {
    let guard = Guard::default();
    for (url, authority, path, port, tls) in [
        ("http://example.com", "example.com", "/", 80, false),
        (
            "HTTPS://Example.COM./a?b=c#d",
            "example.com",
            "/a?b=c",
            443,
            true,
        ),
        ("http://example.com:80/", "example.com", "/", 80, false),
        (
            "https://example.com:8443/",
            "example.com:8443",
            "/",
            8443,
            true,
        ),
        (
            "http://example.com:443/",
            "example.com:443",
            "/",
            443,
            false,
        ),
        (
            "http://1.1.1.1:8080/ä",
            "1.1.1.1:8080",
            "/%C3%A4",
            8080,
            false,
        ),
        (
            "http://[2606:4700::1111]/",
            "[2606:4700::1111]",
            "/",
            80,
            false,
        ),
        (
            "http://bücher.example/",
            "xn--bcher-kva.example",
            "/",
            80,
            false,
        ),
        ("http://a_b.example/", "a_b.example", "/", 80, false),
    ] {
        let target = Target::parse(url).unwrap();
        assert_eq!(guard.admit(&target), Ok(()), "{url}");
        assert_eq!(target.authority(), authority, "{url}");
        assert_eq!(target.path(), path, "{url}");
        assert_eq!(target.port(), port, "{url}");
        assert_eq!(target.is_tls(), tls, "{url}");
    }
    let public = ["1.1.1.1", "2606:4700::1111"];
    assert_eq!(vet(&guard, "example.com", &public), Ok(()));
}

#[test]
fn ports_are_those_of_the_list() {
    let guard = Guard::default();
    for port in [1, 22, 25, 6379, 7400, 9200, 11211, 65535] {
        let url = format!("http://example.com:{port}/");
        assert_eq!(admit(&guard, &url), Err(Refusal::Port(port)));
    }
    // Also where the address is allowed.
    let guard = self::guard("127.0.0.0/8", "");
    assert_eq!(
        admit(&guard, "http://127.0.0.1:6379/"),
        Err(Refusal::Port(6379))
    );
    assert_eq!(admit(&guard, "http://127.0.0.1:8080/"), Ok(()));
}

#[test]
fn what_is_allowed_is_allowed_by_block_or_name_and_nothing_else_is() {
    let guard = guard(
        "127.0.0.0/8, 10.1.0.0/16, hooks.internal, *.corp.example, ::1",
        "",
    );
    assert_eq!(admit(&guard, "http://127.0.0.1/"), Ok(()));
    assert_eq!(admit(&guard, "http://0x7f.1/"), Ok(()));
    assert_eq!(admit(&guard, "http://[::1]/"), Ok(()));
    assert_eq!(vet(&guard, "any.example", &["10.1.2.3"]), Ok(()));
    assert_eq!(
        vet(&guard, "hooks.internal", &["192.168.1.1", "fd00::1"]),
        Ok(())
    );
    assert_eq!(vet(&guard, "A.Corp.Example", &["192.168.1.1"]), Ok(()));
    for (name, address, class) in [
        ("any.example", "10.2.0.1", Class::Private),
        ("x.hooks.internal", "192.168.1.1", Class::Private),
        ("corp.example", "192.168.1.1", Class::Private),
        ("evilcorp.example", "192.168.1.1", Class::Private),
        // The block of IPv4 says nothing of other forms of its addresses.
        ("any.example", "::ffff:127.0.0.1", Class::EmbeddedIpv4),
        ("any.example", "64:ff9b::10.1.2.3", Class::Nat64),
    ] {
        let refused = Err(Refusal::Address(class));
        assert_eq!(vet(&guard, name, &[address]), refused, "{name} {address}");
    }
}

#[test]
fn a_translator_that_is_allowed_translates_to_public_addresses_only() {
    let guard = guard("64:ff9b::/96, 64:ff9b:1::/48", "");
    for address in ["64:ff9b::8.8.8.8", "64:ff9b:1::8.8.8.8"] {
        assert_eq!(vet(&guard, "a.example", &[address]), Ok(()), "{address}");
    }
    for (address, class) in [
        ("64:ff9b::127.0.0.1", Class::Loopback),
        ("64:ff9b::169.254.169.254", Class::Metadata),
        ("64:ff9b:1::10.0.0.1", Class::Private),
        ("64:ff9b:1:a00:0:100::", Class::Private),
    ] {
        let refused = Err(Refusal::Address(class));
        assert_eq!(vet(&guard, "a.example", &[address]), refused, "{address}");
    }
}

#[test]
fn metadata_services_need_an_entry_of_their_own() {
    let wide = guard("0.0.0.0/0, ::/0, *.internal, metadata.google.internal", "");
    for address in [
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "::ffff:169.254.169.254",
    ] {
        let refused = Err(Refusal::Address(Class::Metadata));
        for name in ["metadata.google.internal", "a.example"] {
            assert_eq!(vet(&wide, name, &[address]), refused, "{name} {address}");
        }
    }
    let own = guard("169.254.169.254", "");
    assert_eq!(admit(&own, "http://169.254.169.254/"), Ok(()));
    assert!(admit(&own, "http://169.254.169.253/").is_err());
}

#[test]
fn what_is_denied_is_refused_whatever_is_allowed() {
    let guard = guard(
        "0.0.0.0/0, ::/0, *.example, bad.example",
        "10.0.0.0/8, 1.1.1.1, bad.example, *.evil.example",
    );
    for url in [
        "http://10.0.0.1/",
        "http://1.1.1.1/",
        "http://bad.example/",
        "http://BAD.example./",
        "http://a.evil.example/",
    ] {
        assert_eq!(admit(&guard, url), Err(Refusal::Denied), "{url}");
    }
    for address in [
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::1.1.1.1",
        "2002:a00:1::",
        "::10.0.0.1",
    ] {
        let refused = vet(&guard, "good.example", &["8.8.8.8", address]);
        assert_eq!(refused, Err(Refusal::Denied), "{address}");
    }
    assert_eq!(vet(&guard, "good.example", &["192.168.0.1"]), Ok(()));
}

#[test]
fn a_redirect_is_read_from_where_it_comes() {
    let from = Target::parse("https://a.example/x/y?z").unwrap();
    for (location, authority, path) in [
        ("w", "a.example", "/x/w"),
        ("/w", "a.example", "/w"),
        ("?w", "a.example", "/x/y?w"),
        ("//b.example/w", "b.example", "/w"),
        ("https://c.example:8443/#f", "c.example:8443", "/"),
    ] {
        let next = from.join(location).unwrap();
        assert_eq!(next.authority(), authority, "{location}");
        assert_eq!(next.path(), path, "{location}");
    }
    for location in [
        "http://a.example/",
        "file:///etc/passwd",
        "gopher://b.example/",
        "https://u:p@b.example/",
        "//u@b.example/",
        "/\\b.example/",
        "https://b.example/\n",
        "https://",
    ] {
        assert!(from.join(location).is_err(), "{location}");
    }
    let guard = Guard::default();
    let next = from.join("//127.0.0.1/").unwrap();
    assert_eq!(guard.admit(&next), Err(Refusal::Address(Class::Loopback)));
    assert!(!from.is_origin_of(&next) && from.is_origin_of(&from.join("/q").unwrap()));
}

#[test]
fn a_refusal_names_the_rule_and_not_the_address() {
    let refused = vet(&Guard::default(), "a.example", &["10.9.8.7"]).unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("private") && !said.contains("10.9"), "{said}");
    let refused = Target::parse("http://user:hunter2@a.example/").unwrap_err();
    assert!(!refused.to_string().contains("hunter2"));
}

proptest! {
    /// No form of an address that is refused gets past the guard.
    #[test]
    fn no_translation_of_a_refused_address_is_public(bits: u32, upper: [u16; 6]) {
        let v4 = std::net::Ipv4Addr::from_bits(bits);
        let [a, b] = [bits >> 16, bits & 0xffff].map(|half| u16::try_from(half).unwrap());
        let guard = Guard::default();
        let refused = |address: IpAddr| guard.vet_address(address, false).is_err();
        let inner = refused(IpAddr::V4(v4));
        for v6 in [
            v4.to_ipv6_mapped(),
            v4.to_ipv6_compatible(),
            [0x64, 0xff9b, 0, 0, 0, 0, a, b].into(),
            [0x2002, a, b, upper[3], upper[4], upper[5], 1, 1].into(),
        ] {
            prop_assert!(refused(IpAddr::V6(v6)), "{v6}");
        }
        // Where all forms are allowed, what is behind them still counts.
        let allowed = self::guard("64:ff9b::/96, ::ffff:0:0/96", "");
        for v6 in [v4.to_ipv6_mapped(), [0x64, 0xff9b, 0, 0, 0, 0, a, b].into()] {
            prop_assert_eq!(allowed.vet_address(IpAddr::V6(v6), false).is_err(), inner);
        }
    }

    /// Reading never panics, and what was read is read again as the same.
    #[test]
    fn any_text_is_a_target_or_refused(text in "\\PC{0,40}", front in "(http://|https://|)") {
        let url = format!("{front}{text}");
        if let Ok(target) = Target::parse(&url) {
            let scheme = if target.is_tls() { "https" } else { "http" };
            let again = format!("{scheme}://{}{}", target.authority(), target.path());
            let again = Target::parse(&again).unwrap();
            prop_assert_eq!(again.authority(), target.authority());
            prop_assert_eq!(again.port(), target.port());
        }
    }
}
