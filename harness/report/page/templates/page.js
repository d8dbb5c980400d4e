(() => {
  const root = document.documentElement;
  root.classList.add('scripted');
  const theme = document.getElementById('theme');
  if (theme) theme.addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  });
  // Zoom: the drawing becomes wider within its box, which scrolls; labels that have room now appear.
  const zoom = (axis, factor, place) => {
    const view = axis.querySelector('.view'), level = [1, 2, 4, 8, 16].filter(step => step <= factor * 1.01).pop();
    axis.dataset.zoom = level;
    axis.dataset.factor = factor;
    view.querySelector('svg').style.width = `${factor * 100}%`;
    if (place !== undefined) view.scrollLeft = place / 100 * view.scrollWidth - 12;
  };
  document.querySelectorAll('.tools button').forEach(button => button.addEventListener('click', () => {
    const axis = button.parentElement.nextElementSibling, now = Number(axis.dataset.factor || 1);
    if (button.dataset.left !== undefined) {
      zoom(axis, Math.min(16, Math.max(1, 96 / Math.max(Number(button.dataset.width), 4))), Number(button.dataset.left));
    } else {
      const factor = button.dataset.step === '0' ? 1 : Math.min(16, Math.max(1, now * Number(button.dataset.step)));
      zoom(axis, factor);
    }
  }));
  // A link into a folded part opens it.
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = target; part; part = part.parentElement) if (part.tagName === 'DETAILS') part.open = true;
    if (target) target.scrollIntoView({block: 'center'});
  };
  addEventListener('hashchange', open);
  open();
  const text = document.getElementById('find'), table = document.getElementById('all');
  if (text && table) {
    const rows = [...table.tBodies[0].rows], buttons = [...document.querySelectorAll('[data-only]')];
    const show = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      const only = buttons.filter(button => button.getAttribute('aria-pressed') === 'true').map(button => button.dataset.only);
      let count = 0;
      for (const row of rows) {
        const said = row.textContent.toLowerCase(), states = row.dataset.s.split(' ');
        row.hidden = !(words.every(word => said.includes(word)) && (!only.length || only.some(state => states.includes(state))));
        count += !row.hidden;
      }
      document.getElementById('found').textContent = `${count} of ${rows.length} tests`;
    };
    text.addEventListener('input', show);
    buttons.forEach(button => button.addEventListener('click', () => {
      button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
      show();
    }));
  }
})();
