(() => {
  const root = document.documentElement;
  root.classList.add('scripted');
  const theme = document.getElementById('theme');
  if (theme) theme.addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  });
  // Zoom: the drawing becomes wider within its box, which scrolls; labels that have room now appear.
  // True time: the scale is even between the points that the axis names; each place is moved to where its time lies.
  const placed = (axis, place) => {
    if (!axis.classList.contains('true')) return place;
    const points = axis.dataset.points.split(' ').map(pair => pair.split(':').map(Number));
    const first = points[0], last = points[points.length - 1];
    if (place > last[0]) return place;
    const after = Math.max(1, points.findIndex(point => point[0] >= place));
    const [[p, t], [q, u]] = [points[after - 1], points[after]];
    const time = t + (q > p ? (place - p) / (q - p) : 0) * (u - t);
    return last[0] * (time - first[1]) / (last[1] - first[1]);
  };
  const move = axis => axis.querySelectorAll('svg *').forEach(part => {
    const was = name => {
      if (part.dataset[name] === undefined) part.dataset[name] = part.getAttribute(name) || '';
      return part.dataset[name].endsWith('%') ? parseFloat(part.dataset[name]) : undefined;
    };
    const x = was('x'), width = was('width');
    for (const name of ['x', 'cx', 'x1', 'x2']) {
      if (was(name) !== undefined) part.setAttribute(name, `${placed(axis, was(name))}%`);
    }
    if (x !== undefined && width !== undefined) {
      part.setAttribute('width', `${Math.max(0.3, placed(axis, x + width) - placed(axis, x))}%`);
    }
  });
  const zoom = (axis, factor, place) => {
    const view = axis.querySelector('.view'), level = [1, 2, 4, 8, 16].filter(step => step <= factor * 1.01).pop();
    axis.dataset.zoom = level;
    axis.dataset.factor = factor;
    view.querySelector('svg').style.width = `${factor * 100}%`;
    if (place !== undefined) view.scrollLeft = place / 100 * view.scrollWidth - 12;
  };
  document.querySelectorAll('.tools button').forEach(button => button.addEventListener('click', () => {
    const axis = button.parentElement.nextElementSibling, now = Number(axis.dataset.factor || 1);
    if (button.classList.contains('true-time')) {
      button.setAttribute('aria-pressed', String(axis.classList.toggle('true')));
      move(axis);
    } else if (button.dataset.left !== undefined) {
      const left = Number(button.dataset.left), begin = placed(axis, left);
      const width = placed(axis, left + Number(button.dataset.width)) - begin;
      zoom(axis, Math.min(16, Math.max(1, 96 / Math.max(width, 4))), begin);
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
