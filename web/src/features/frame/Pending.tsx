import { Heading, useAfter } from '@/ui'
import { ErrorNote, Loading } from './pages'

interface Props {
  /** What the page is about, as far as is known without its content. */
  title: string
  /** Why the content did not come; null while it is on its way. */
  error: unknown
  retry?: () => void
}

/** In the place of a page's content that has not come: the page says what it is all the same. Nothing for 300 ms. */
export function Pending({ title, error, retry }: Props) {
  const late = useAfter(300)
  return (
    <>
      {error || late ? <Heading>{title}</Heading> : null}
      {error ? <ErrorNote error={error} {...(retry ? { retry } : {})} /> : <Loading />}
    </>
  )
}
