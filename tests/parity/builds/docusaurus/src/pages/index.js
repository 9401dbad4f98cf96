import React from 'react';
import Layout from '@theme/Layout';
import Link from '@docusaurus/Link';

export default function Home() {
  return <Layout title="Home"><main><Link to="/docs/intro">Docs</Link> <Link to="/about">About</Link></main></Layout>;
}
