export default { site: 'https://docs.dao.example', build: { inlineStylesheets: 'never' }, vite: { build: { assetsInlineLimit: 0 } } };
