'use client';
import { useState } from 'react';

export function Counter() {
  const [count, add] = useState(0);
  return <button onClick={() => add(count + 1)}>{count}</button>;
}
