export { NoticeBanner, NoticeChip } from './NoticeBanner'
export { useAttended, useNotices, type Notices } from './useNotices'
