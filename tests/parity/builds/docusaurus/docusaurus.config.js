// The default site of the generator, with the setting that decides about slashes from the environment.
const setting = { unset: undefined, true: true, false: false }[process.env.TRAILING_SLASH ?? 'unset'];

module.exports = {
  title: 'DAO',
  url: 'https://docs.dao.example',
  baseUrl: '/',
  trailingSlash: setting,
  onBrokenLinks: 'throw',
  presets: [['classic', { docs: { sidebarPath: './sidebars.js' }, blog: { showReadingTime: false } }]],
  themeConfig: {
    navbar: {
      title: 'DAO',
      items: [{ to: '/docs/intro', label: 'Docs' }, { to: '/blog', label: 'Blog' }, { to: '/about', label: 'About' }],
    },
  },
};
