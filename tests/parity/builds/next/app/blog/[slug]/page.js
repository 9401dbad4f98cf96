import Link from 'next/link';

export const dynamicParams = false;

export function generateStaticParams() {
  return ['first post', 'c++'].map((slug) => ({ slug }));
}

export default async function Post({ params }) {
  const { slug } = await params;
  return <main><h1>{decodeURIComponent(slug)}</h1><Link href="/about">About</Link></main>;
}
