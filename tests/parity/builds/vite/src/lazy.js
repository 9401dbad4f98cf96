export function go(){document.querySelector('#app').textContent=location.pathname}
