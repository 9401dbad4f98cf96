export default {title: 'T', cleanUrls: true}
