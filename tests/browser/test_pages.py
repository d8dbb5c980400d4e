"""The pages as people see them: on a desk and in a hand, by light and by dark, with and without script."""

import pytest

from tests.browser.chromium import Tab
from tests.browser.conftest import PICTURES

# Of every visible text the ratio of its colour to what is behind it:
# https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
CONTRAST = """(() => {
  const parse = text => { const n = (text.match(/[\\d.]+/g) || []).map(Number); return n.length < 3 ? null : n };
  const linear = v => v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = c => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2]);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e), image = style.backgroundImage, colour = parse(style.backgroundColor);
      if (image.includes('gradient')) return image.match(/rgba?\\([^)]*\\)/g).map(parse);
      if (colour && (colour.length < 4 || colour[3] === 1)) return [colour];
    }
    return [[255, 255, 255]];
  };
  const behindDrawn = text => {
    const own = text.previousElementSibling;
    if (text.matches('.bt, .pt, .place text')) return [parse(getComputedStyle(own).fill)];
    const under = [...text.ownerSVGElement.querySelectorAll('.band')].map(band => parse(getComputedStyle(band).fill));
    if (text.matches('.st')) under.push(parse(getComputedStyle(own).fill));
    return [...under, ...behind(text.ownerSVGElement.parentElement)];
  };
  document.querySelectorAll('details').forEach(part => part.open = true);
  const bad = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.matches('title, script, style, .skip')) continue;
    const drawn = element.namespaceURI.endsWith('svg'), style = getComputedStyle(element);
    const colour = parse(drawn ? style.fill : style.color);
    const others = drawn ? behindDrawn(element) : behind(element);
    const worst = Math.min(...others.map(other => ratio(colour, other)));
    count++;
    const name = `${element.tagName}.${element.getAttribute('class')}`;
    if (worst < 4.5) bad.push(`${worst.toFixed(2)} ${name}: ${node.data.trim().slice(0, 40)}`);
  }
  return {count, bad: [...new Set(bad)].slice(0, 20)};
})()"""

WIDER = """(() => { document.querySelectorAll('details').forEach(part => part.open = true);
  return document.documentElement.scrollWidth - innerWidth })()"""


@pytest.fixture
def open_tab(browser):
    tabs = []

    def opened(*args, **kwargs):
        tabs.append(Tab(browser, *args, **kwargs))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.close()


@pytest.fixture(params=["report", "index"])
def either(request, page, index):
    return {"report": page, "index": index}[request.param]


def test_nothing_is_asked_for_and_the_console_is_silent(open_tab, either):
    tab = open_tab(either)
    assert tab.requests() == [either.as_uri()]
    assert tab.complaints() == []
    assert tab.run("document.title").startswith(("RED: 5 new failures point at the cloud", "nRF91: 14 runs"))


def test_its_own_policy_lets_nothing_in(open_tab, page):
    tab = open_tab(page)
    tab.run(
        'document.body.insertAdjacentHTML(\'beforeend\', \'<img src="file:///dev/null"><p onclick="1" style="top:0">\')'
    )
    tab.wait_for("Network.loadingFailed")
    assert tab.requests() == [page.as_uri()]
    assert any("Content Security Policy" in line for line in tab.complaints())


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_never_scrolls_sideways(open_tab, either, width):
    tab = open_tab(either, width=width)
    assert tab.run("innerWidth") == width
    assert tab.run(WIDER) == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(open_tab, either, dark):
    tab = open_tab(either, dark=dark)
    found = tab.run(CONTRAST)
    assert found["count"] > 100
    assert found["bad"] == []


def test_the_button_changes_the_theme(open_tab, page):
    tab = open_tab(page)
    before = tab.run("getComputedStyle(document.body).backgroundColor")
    tab.click("#theme")
    assert tab.run("getComputedStyle(document.body).backgroundColor") != before
    assert tab.run(CONTRAST)["bad"] == []


def test_every_pin_leads_to_its_line(open_tab, page):
    tab = open_tab(page)
    pins = tab.run("[...document.querySelectorAll('svg a[aria-label]')].map(pin => pin.getAttribute('href'))")
    assert len(pins) >= 6
    for pin in pins[:8]:
        tab.run(f"document.querySelector('svg a[aria-label][href=\"{pin}\"]').dispatchEvent(new MouseEvent('click'))")
        shown = tab.run(
            "(() => { const line = document.querySelector(':target'); return line && line.checkVisibility() })()"
        )
        assert shown, pin


def test_a_link_to_a_folded_test_opens_it(open_tab, page):
    tab = open_tab(page, hash_="#t3")
    assert tab.run("document.getElementById('t3').open") is True


def test_zoom_widens_the_drawing_in_its_own_box(open_tab, page):
    tab = open_tab(page)
    wide = "document.querySelector('.view svg').getBoundingClientRect().width"
    before, labels = (
        tab.run(wide),
        tab.run("[...document.querySelectorAll('.axis text')].filter(t => t.checkVisibility()).length"),
    )
    for _ in range(2):
        tab.click('.tools button[data-step="2"]')
    assert tab.run(wide) > 3.9 * before
    assert tab.run("[...document.querySelectorAll('.axis text')].filter(t => t.checkVisibility()).length") > labels
    assert tab.run("document.documentElement.scrollWidth - innerWidth") == 0


MARKS = "[...document.querySelectorAll('.axis[data-points] circle.m')].map(m => m.getBoundingClientRect().left)"


def test_true_time_moves_the_marks_and_back(open_tab, page):
    tab = open_tab(page)
    tab.run("document.querySelector('.true-time').closest('details').open = true")
    squeezed = tab.run(MARKS)
    tab.click(".true-time")
    true = tab.run(MARKS)
    assert tab.run("document.querySelector('.true-time').getAttribute('aria-pressed')") == "true"
    assert len(true) == len(squeezed)
    assert max(abs(one - other) for one, other in zip(true, squeezed, strict=True)) > 10
    assert tab.run("document.documentElement.scrollWidth - innerWidth") == 0
    tab.click(".true-time")
    assert tab.run(MARKS) == pytest.approx(squeezed, abs=0.5)


@pytest.mark.parametrize("width", [400, 1280])
def test_an_experiment_shows_its_arms_and_the_bound(open_tab, page, width):
    tab = open_tab(page, width=width, script=False)
    assert tab.run("document.querySelectorAll('#t1 .arms tbody tr').length") == 4
    assert tab.run("document.querySelectorAll('#t1 .place.action.closed').length") == 4
    assert tab.run("[...document.querySelectorAll('#t1 .place.sham')].every(p => p.matches('.answered'))")
    bars = "[...document.querySelectorAll('#t1 .wealth rect')].map(bar => bar.getBoundingClientRect().width)"
    grown = tab.run(bars)
    assert grown == sorted(grown)
    bound = tab.run("document.querySelector('#t1 .bound').getBoundingClientRect().left")
    ends = tab.run("[...document.querySelectorAll('#t1 .wealth rect')].map(bar => bar.getBoundingClientRect().right)")
    assert [end > bound for end in ends] == [False, False, False, True]


def test_the_filter_finds_tests(open_tab, page):
    tab = open_tab(page)
    tab.run("document.getElementById('all').closest('details').open = true")
    tab.click('[data-only="failed"]')
    assert tab.run("document.getElementById('found').textContent") == "13 of 160 tests"
    tab.run(
        "(box => { box.value = 'dk-9161'; box.dispatchEvent(new Event('input')) })(document.getElementById('find'))"
    )
    assert tab.run("document.getElementById('found').textContent") == "5 of 160 tests"


REACHABLE = """(() => {
  let count = 0;
  document.querySelectorAll('a[href], button, summary, input, [tabindex="0"]').forEach(element => {
    if (element.checkVisibility() && element.getAttribute('tabindex') !== '-1') element.dataset.reach = count++;
  });
  return count;
})()"""


def test_the_keyboard_reaches_everything(open_tab, page):
    tab = open_tab(page)
    wanted = {str(number) for number in range(tab.run(REACHABLE))}
    reached = set()
    for _ in range(len(wanted) + 20):
        tab.press("Tab", 9)
        reached.add(tab.run("document.activeElement.dataset && document.activeElement.dataset.reach"))
    missing = [
        tab.run(f"document.querySelector('[data-reach=\"{number}\"]').outerHTML.slice(0, 200)")
        for number in sorted(wanted - reached)
    ]
    assert missing == []


ESSENTIAL = (
    "h1",
    ".causes a",
    ".card",
    "#t1 .verdict",
    "#t1 .proofs",
    "#t1 .arms .place",
    "#t1 .view svg",
    "#t1 .log li",
    ".pair",
    "#t1 .cmd",
)
SHOWN = "(selector => { const found = document.querySelector(selector); return !!found && found.checkVisibility() })"


@pytest.mark.parametrize("width", [400, 1280])
def test_without_script_nothing_that_matters_is_missing(open_tab, page, width):
    tab = open_tab(page, width=width, script=False)
    for selector in ESSENTIAL:
        assert tab.run(f"{SHOWN}({selector!r})"), selector
    for selector in ("#theme", ".tools", ".filter"):
        assert not tab.run(f"{SHOWN}({selector!r})"), selector
    tab.click("#t2 > summary")
    assert tab.run(f"{SHOWN}('#t2 .verdict')")
    assert tab.complaints() == []


def test_pictures(open_tab, page, index):
    """Pictures for people and for CI's artefacts."""
    for name, file, width, dark in (
        *(("report", page, 1280, False), ("report_dark", page, 1280, True), ("report_400", page, 400, True)),
        *(("index", index, 1280, False),),
    ):
        tab = open_tab(file, width=width, dark=dark)
        tab.picture(PICTURES / f"{name}.png")
        assert (PICTURES / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_it_prints_what_is_open(open_tab, page):
    tab = open_tab(page)
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.run("document.querySelector('h1').checkVisibility()")
    assert not tab.run("document.querySelector('#theme').checkVisibility()")
    assert not tab.run("document.querySelector('#all').checkVisibility()")
