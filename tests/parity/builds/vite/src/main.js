import './a.css'; import('./lazy.js').then(m => m.go())
