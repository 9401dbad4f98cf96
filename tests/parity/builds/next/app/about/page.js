import Link from 'next/link';
import { Counter } from './counter';

export default function About() {
  return <main><h1>About</h1><Link href="/">Home</Link> <Counter /></main>;
}
