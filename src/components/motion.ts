/**
 * Signs that pulse cost a compositor layer each, and whatever is painted beside them is split around
 * those layers. With more signs than this they hold still: what runs is seen by colour and shape.
 */
export const mostMoving = 30
