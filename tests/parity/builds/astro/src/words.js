export const words = ['a', 'live', 'page'];
